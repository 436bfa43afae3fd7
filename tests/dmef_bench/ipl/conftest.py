import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """Tensors here are tiny: a second thread would only be waited for."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
