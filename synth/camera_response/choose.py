"""A camera response model by its name, as a manifest or a command line gives it."""

from dataclasses import fields

from synth.camera_response.base import CameraResponse
from synth.camera_response.models import Beta, BetaGamma, Gamma, Preferred, Sigmoid

MODELS: dict[str, type[CameraResponse]] = {
    model.name: model for model in (Sigmoid, Beta, BetaGamma, Gamma, Preferred)
}


def camera_response(name: str, /, **parameters: float) -> CameraResponse:
    """The model called `name`; parameters that are not given keep the authors' values.

    Args:
        name: a key of `MODELS`, in upper or lower case.
        **parameters: the model's own, for example `n` and `sigma` of the sigmoid.

    Raises:
        ValueError: no such model, no such parameter of it, or an impossible value.
    """
    model = MODELS.get(name.lower())
    if model is None:
        raise ValueError(
            f"unknown camera response model {name!r}: choose one of {', '.join(MODELS)}"
        )
    known = [field.name for field in fields(model)]
    unknown = [given for given in parameters if given not in known]
    if unknown:
        raise ValueError(
            f"{model.name} has no parameter {unknown[0]!r}: it has {' and '.join(known)}"
        )
    return model(**parameters)
