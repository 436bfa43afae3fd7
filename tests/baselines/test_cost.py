"""thop's counts of the baselines, against the figures thop itself gave with the authors' code."""

import pytest

from baselines.cost import TABLE_1_NETWORKS, inputs_of_size, on_meta, thop_counts

# measured with thop: MACs in G as far as they were noted, parameters
MEASURED = {
    "ahdrnet": (162.7725, 1_239_779),
    "fshdr": (957.91, 1_828_419),
    "hdr-transformer": (95.938, 1_197_813),
    "sctnet": (78.672, 961_483),
}


@pytest.mark.parametrize("case", TABLE_1_NETWORKS, ids=lambda case: case.method)
def test_counts_as_thop_does(case):
    network = on_meta(case.counted)
    macs, parameters = thop_counts(network, *inputs_of_size(network, *case.size))
    if case.method in MEASURED:
        assert case.exact
        assert macs / 1e9 == pytest.approx(MEASURED[case.method][0], abs=0.005)
        assert parameters == MEASURED[case.method][1]
    else:
        assert not case.exact
        # 235,403 less the deformable convolution's 304 and the 48 of `learn_para`
        assert parameters == 235_051


def test_only_the_baselines_networks_are_known():
    from torch import nn

    with pytest.raises(ValueError, match="Linear is none of"):
        inputs_of_size(nn.Linear(2, 2), 8, 8)
