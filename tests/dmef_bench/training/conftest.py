from built_dataset import dataset_folder

__all__ = ["dataset_folder"]
