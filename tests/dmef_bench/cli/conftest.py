from command_line import dmef_bench

__all__ = ["dmef_bench"]
