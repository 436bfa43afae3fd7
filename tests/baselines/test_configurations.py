"""Networks in sizes that have a name."""

import pytest

from baselines import MethodError, configuration, from_configuration
from baselines.cost import on_meta

PARAMETERS = {
    ("ahdrnet", "official"): 1_515_139,
    ("fshdr", "official"): 1_833_603,
    ("hdr-transformer", "official"): 1_222_113,
    ("sctnet", "official"): 994_555,
    ("bracketire", "official"): 13_285_704,
    ("bracketire", "ipl_table1"): 235_403,
    # the two convolutions that are never used are not among Table 1's
    ("ahdrnet", "ipl_table1"): 1_239_779 + 2 * (64 * 64 * 9 + 64),
    ("fshdr", "ipl_table1"): 1_828_419,
    ("hdr-transformer", "ipl_table1"): 1_222_113,
    ("sctnet", "ipl_table1"): 994_555,
}


@pytest.mark.parametrize(("method", "name"), PARAMETERS)
def test_parameters_are_the_known_ones(method, name):
    network = on_meta(lambda: from_configuration(method, name))
    assert sum(p.numel() for p in network.parameters()) == PARAMETERS[method, name]
    assert network.config == configuration(method, name)


def test_bracketire_for_three_rgb_exposures():
    config = configuration("bracketire", "official_rgb")
    official = configuration("bracketire", "official")
    assert (config.channels, config.frames) == (3, 3)
    assert (config.features, config.blocks, config.flow) == (
        official.features, official.blocks, official.flow,
    )  # fmt: skip


def test_unknown_names_are_told_with_those_there_are():
    with pytest.raises(MethodError, match="ahdrnet has no configuration 'paper'; it has official"):
        configuration("ahdrnet", "paper")
    with pytest.raises(MethodError, match="'mertens' has no named configurations; these have: ahd"):
        from_configuration("mertens", "official")
