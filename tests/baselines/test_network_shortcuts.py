"""What the networks overwrite or leave uncopied changes neither pictures nor gradients."""

import pytest
import torch
from tiny_networks import tiny_network

NETWORKS = ("ahdrnet", "fshdr", "hdr-transformer", "sctnet", "bracketire")


def _inputs(name, network):
    torch.manual_seed(1)
    if name == "bracketire":
        return (torch.rand(2, 3, 3, 16, 24),)
    exposures = [torch.rand(2, network.config.inputs, 16, 24) for _ in range(3)]
    return (torch.cat(exposures, 1),) if name == "fshdr" else tuple(exposures)


@pytest.mark.parametrize("name", NETWORKS)
def test_with_and_without_gradient_are_equal_and_inputs_stay(name):
    network = tiny_network(name)
    inputs = _inputs(name, network)
    before = [x.clone() for x in inputs]
    learning = network(*inputs)
    with torch.no_grad():
        using = network(*inputs)
    assert torch.allclose(learning, using, rtol=0, atol=1e-6)
    assert all(torch.equal(x, kept) for x, kept in zip(inputs, before, strict=True))


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_those_of_small_differences(name):
    network = tiny_network(name).double()
    inputs = tuple(x.double() for x in _inputs(name, network))
    parameter = next(network.parameters())
    network(*inputs).square().sum().backward()
    direction = torch.randn_like(parameter)
    slope = float((parameter.grad * direction).sum())

    def shifted(step):
        with torch.no_grad():
            parameter.add_(direction, alpha=step)
            value = float(network(*inputs).square().sum())
            parameter.sub_(direction, alpha=step)
        return value

    step = 1e-6
    assert (shifted(step) - shifted(-step)) / (2 * step) == pytest.approx(slope, rel=1e-3)
