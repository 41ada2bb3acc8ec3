import json
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eigenwarp.errors import OptionInvalidError
from eigenwarp.model import Architecture, Norm, Skips
from tests.model.networks import random_volumes, small_architecture, small_network


def test_the_papers_network_has_four_halvings_and_a_latent_of_512_channels_on_4_cubed() -> None:
    paper = Architecture()
    assert paper.levels == 4
    assert paper.code_shapes == ((512, 4, 4, 4),)
    assert paper.code_length == 512 * 4**3
    assert paper.skips is Skips.NONE
    assert paper.decoder_norm is Norm.INSTANCE


def test_three_halvings_as_for_the_papers_lungs() -> None:
    lungs = Architecture(channels=(32, 64, 128, 256), latent_channels=256)
    assert lungs.levels == 3
    assert lungs.code_shapes == ((256, 8, 8, 8),)


@pytest.mark.parametrize(
    ("full_resolution", "skips", "expected"),
    [
        (True, "none", ((6, 8, 4, 2),)),
        (True, "coarse", ((6, 8, 4, 2), (3, 16, 8, 4))),
        (True, "subtracted", ((6, 8, 4, 2), (3, 16, 8, 4), (3, 32, 16, 8))),
        (False, "none", ((6, 4, 2, 1),)),
        (False, "coarse", ((6, 4, 2, 1), (3, 8, 4, 2))),
        (False, "subtracted", ((6, 4, 2, 1), (3, 8, 4, 2), (3, 16, 8, 4))),
    ],
)
def test_the_encoding_is_the_bottleneck_and_then_the_skipped_levels_coarsest_first(
    full_resolution: bool, skips: str, expected: tuple[tuple[int, ...], ...]
) -> None:
    architecture = small_architecture(
        shape=(32, 16, 8), channels=(4, 5, 7), full_resolution=full_resolution, skips=skips
    )
    assert architecture.code_shapes == expected
    assert architecture.code_length == sum(prod(shape) for shape in expected)


@pytest.mark.parametrize("full_resolution", [True, False])
@pytest.mark.parametrize("skips", list(Skips))
@pytest.mark.parametrize("norm", list(Norm))
def test_encoder_and_decoder_have_the_shapes_the_architecture_promises(
    full_resolution: bool, skips: Skips, norm: Norm
) -> None:
    shape = (16, 8, 24)
    network = small_network(shape=shape, full_resolution=full_resolution, skips=skips, decoder_norm=norm)
    volumes = random_volumes(2, shape)
    parts, _ = network.encoder(volumes)
    assert tuple(tuple(part.shape[1:]) for part in parts) == network.architecture.code_shapes
    code = network.encode(volumes)
    assert code.shape == (2, network.architecture.code_length)
    assert tuple(network.gradients(code).shape) == (2, 3, *network.architecture.level_shape(0))
    assert network.decode(code).shape == (2, 3, *shape)
    for part, again in zip(parts, network.unflatten(network.flatten(parts)), strict=True):
        assert (part == again).all()


@given(
    levels=st.integers(2, 5),
    full_resolution=st.booleans(),
    skips=st.sampled_from(Skips),
    norm=st.sampled_from(Norm),
    factors=st.tuples(*[st.integers(1, 3)] * 3),
    classes=st.integers(0, 4),
)
def test_to_dict_survives_json_and_comes_back_equal(
    levels: int, full_resolution: bool, skips: Skips, norm: Norm, factors: tuple[int, int, int], classes: int
) -> None:
    architecture = Architecture(
        shape=tuple(f * 2**levels for f in factors),
        channels=tuple(range(3, 3 + levels)),
        full_resolution=full_resolution,
        skips=skips,
        decoder_norm=norm,
        segmentation_classes=classes,
    )
    again = Architecture.from_dict(json.loads(json.dumps(architecture.to_dict())))
    assert again == architecture
    assert hash(again) == hash(architecture)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"channels": (8,)}, r"\(8,\)"),
        ({"channels": (8, 0)}, r"\(8, 0\)"),
        ({"channels": ()}, r"\(\)"),
        ({"latent_channels": 0}, "latent_channels"),
        ({"convolutions": 0}, "convolutions"),
        ({"shape": (16, 16)}, r"\(16, 16\)"),
        ({"shape": (16, 15, 16)}, r"\(16, 15, 16\)"),
        ({"shape": (16, 16, 0)}, r"\(16, 16, 0\)"),
        ({"shape": (-16, 16, 16)}, r"\(-16, 16, 16\)"),
        ({"shape": 16}, "int"),
        ({"segmentation_classes": -1}, "-1"),
        ({"skips": "all"}, "all"),
        ({"decoder_norm": "batch"}, "batch"),
        ({"channel": (4, 8)}, "channel"),
    ],
)
def test_a_bad_value_is_refused_and_named(changes: dict[str, object], named: str) -> None:
    with pytest.raises(OptionInvalidError, match=named):
        small_architecture(**changes)


def test_a_grid_that_only_suits_fewer_levels_is_refused() -> None:
    assert small_architecture(shape=(8, 8, 8), channels=(2, 2, 2, 2)).levels == 3
    with pytest.raises(OptionInvalidError, match="2\\^4 = 16"):
        small_architecture(shape=(8, 8, 8), channels=(2, 2, 2, 2), full_resolution=False)
