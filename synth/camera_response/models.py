"""The five models, with the parameters LECARM's authors fitted as defaults."""

from dataclasses import dataclass

import numpy as np

from synth.camera_response.base import CameraResponse, Floats


@dataclass(frozen=True)
class Sigmoid(CameraResponse):
    """f(E) = (1 + σ)Eⁿ / (Eⁿ + σ): LECARM's default.

    g(B, k) = (1 + σ)kⁿB / (kⁿB + 1 + σ - B). f tends to 1 + σ in endless light.
    """

    n: float = 0.90
    sigma: float = 0.60

    name = "sigmoid"
    rule = "n and sigma must be positive"

    def _f(self, E: Floats) -> Floats:
        return (1 + self.sigma) / (1 + self.sigma / E**self.n)

    def _f_inverse(self, B: Floats) -> Floats:
        return (self.sigma * B / (1 + self.sigma - B)) ** (1 / self.n)

    def _g(self, B: Floats, k: Floats) -> Floats:
        brighter = k**self.n * B
        remainder = brighter - B
        remainder += 1 + self.sigma
        brighter *= 1 + self.sigma
        brighter /= remainder
        return brighter

    def _obeys_rule(self) -> bool:
        return self.n > 0 and self.sigma > 0


@dataclass(frozen=True)
class Beta(CameraResponse):
    """f(E) = E^β, a power law: g(B, k) = B·k^β."""

    beta: float = 0.8

    name = "beta"
    rule = "beta must be positive"

    def _f(self, E: Floats) -> Floats:
        return E**self.beta

    def _f_inverse(self, B: Floats) -> Floats:
        return B ** (1 / self.beta)

    def _g(self, B: Floats, k: Floats) -> Floats:
        return B * k**self.beta

    def _obeys_rule(self) -> bool:
        return self.beta > 0


@dataclass(frozen=True)
class BetaGamma(CameraResponse):
    """f(E) = exp(b(1 - Eᵃ)), fitted to the measured curves of the DoRF collection.

    g(B, k) = B^(kᵃ)·exp(b(1 - kᵃ)). With a < 0, f tends to exp(b) in endless light.
    """

    a: float = -0.3293
    b: float = 1.1258

    name = "betagamma"
    rule = "a and b must have opposite signs, for the brightness to rise with the light"

    def _f(self, E: Floats) -> Floats:
        return np.exp(self.b * (1 - E**self.a))

    def _f_inverse(self, B: Floats) -> Floats:
        return (1 - np.log(B) / self.b) ** (1 / self.a)

    def _g(self, B: Floats, k: Floats) -> Floats:
        gamma = k**self.a
        return B**gamma * np.exp(self.b * (1 - gamma))

    def _obeys_rule(self) -> bool:
        return self.a * self.b < 0


@dataclass(frozen=True)
class Gamma(CameraResponse):
    """Two formulas that do not belong together, as the authors' file has them.

    f(E) = exp(E^γ) maps [0, 1] to [1, e], while g(B, k) = B·k^γ is Beta's transform: no g
    follows from this f on [0, 1], and f(k·f⁻¹(B)) is not g(B, k). Pictures are only ever
    changed with g, which is consistent in itself (g(g(B, k₁), k₂) = g(B, k₁k₂)), so Gamma
    exposes exactly as Beta with the same parameter does.

    `inverse_response` is NaN for B < 1, that is for every brightness a picture has below
    white: log(B) is negative there and its power complex, which is what MATLAB returns.
    """

    gamma: float = 0.8

    name = "gamma"
    rule = "gamma must be positive"

    def _f(self, E: Floats) -> Floats:
        return np.exp(E**self.gamma)

    def _f_inverse(self, B: Floats) -> Floats:
        light = np.log(B)
        return np.where(light < 0, np.nan, light) ** (1 / self.gamma)

    def _g(self, B: Floats, k: Floats) -> Floats:
        return B * k**self.gamma

    def _obeys_rule(self) -> bool:
        return self.gamma > 0


@dataclass(frozen=True)
class Preferred(CameraResponse):
    """f(E) = (eᵇEᵃ / (eᵇEᵃ + 1))ᶜ, the S-shaped curve of the comparametric literature.

    g(B, k) = (B^(1/c)kᵃ / (B^(1/c)(kᵃ - 1) + 1))ᶜ. Full brightness is only tended to:
    with the default parameters f(1) = 0.9665 and f⁻¹(1) is infinite. Thus white stays white
    at every exposure, g(1, k) = 1. The authors' f gives NaN for infinite light; this one
    gives its limit 1, so that f(k·f⁻¹(B)) = g(B, k) at B = 1 too.
    """

    a: float = 4.35
    b: float = 1.29
    c: float = 0.14

    name = "preferred"
    rule = "a and c must be positive"

    def _f(self, E: Floats) -> Floats:
        brightness: Floats = (1 / (1 + np.exp(-self.b) / E**self.a)) ** self.c
        return brightness

    def _f_inverse(self, B: Floats) -> Floats:
        odds = B ** (1 / self.c)
        light: Floats = (odds / (1 - odds) / np.exp(self.b)) ** (1 / self.a)
        return light

    def _g(self, B: Floats, k: Floats) -> Floats:
        odds = B ** (1 / self.c)
        ka = k**self.a
        return (odds * ka / (odds * (ka - 1) + 1)) ** self.c

    def _obeys_rule(self) -> bool:
        return self.a > 0 and self.c > 0
