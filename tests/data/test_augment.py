"""Each function beside torchvision's on each image; drawn amounts; the whole."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from cvclaims.catalogue import AUGMENTATIONS
from cvclaims.data import augment
from cvclaims.data.augment import DRAWS, Augmentation
from cvclaims.data.colour import jitter
from cvclaims.data.warp import affine, rotate, sources

IMAGES = 6
few = settings(max_examples=25)
seeds = st.integers(0, 2**32)


def images(seed: int, count: int = IMAGES, height: int = 32, width: int = 32) -> Tensor:
    """Noise, smooth colours, and grey and saturated pixels, uint8."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 256, (count, 3, height, width), generator=generator)
    rows = torch.arange(height).view(-1, 1)
    x[1::3] = (x[1::3, :, :1, :1] + 5 * rows + 3 * torch.arange(width)) % 256
    x[2::3, :, ::2] = x[2::3, :1, ::2]
    x[2::3, :, 1::2] = (x[2::3, :, 1::2] > 127) * 255
    return x.to(torch.uint8)


def uniform(seed: int, count: int, columns: int) -> Tensor:
    return torch.rand(count, columns, generator=torch.Generator().manual_seed(seed))


# A level of a uint8 image, as `normalise` makes it.
LEVEL = 1 / 255 / 0.25


def normalise(x: Tensor) -> Tensor:
    return x.float().div_(255).sub_(0.5).div_(0.25)


def one_by_one(x: Tensor, change: Callable[..., Tensor], *amounts: Tensor) -> Tensor:
    """What `change` makes of each image with its own amounts, as Python's numbers."""
    rows = zip(*(amount.tolist() for amount in amounts), strict=True)
    return torch.stack([change(image, *row) for image, row in zip(x, rows, strict=True)])


sides = st.tuples(st.integers(5, 34), st.integers(5, 34))


@few
@given(seed=seeds, side=sides, padding=st.integers(0, 5), channels_last=st.booleans())
def test_crop_is_torchvisions(
    seed: int, side: tuple[int, int], padding: int, channels_last: bool
) -> None:
    x = images(seed, IMAGES, *side)
    top, left = (uniform(seed, IMAGES, 2) * (2 * padding + 1)).long().unbind(1)
    mirror = uniform(seed + 1, IMAGES, 1)[:, 0] < 0.5

    def reference(image: Tensor, top: int, left: int) -> Tensor:
        done: Tensor = tv.crop(tv.pad(image, [padding]), top, left, *side)
        return done

    given = x.to(memory_format=torch.channels_last) if channels_last else x
    cut = one_by_one(x, reference, top, left)
    assert torch.equal(augment.crop(given, top, left, padding), cut)
    both = augment.crop(given, top, left, padding, mirror)
    assert torch.equal(both, augment.flip(cut, mirror))


@few
@given(seed=seeds, side=sides)
def test_flip_is_torchvisions(seed: int, side: tuple[int, int]) -> None:
    x, where = images(seed, IMAGES, *side), uniform(seed, IMAGES, 1)[:, 0] < 0.5
    expected = one_by_one(x, lambda i, there: tv.horizontal_flip(i) if there else i, where)
    assert torch.equal(augment.flip(x, where), expected)


@few
@given(seed=seeds, side=sides)
def test_erase_is_torchvisions(seed: int, side: tuple[int, int]) -> None:
    x = normalise(images(seed, IMAGES, *side))
    size = torch.tensor([*side, *side])
    top, left, height, width = (uniform(seed, IMAGES, 4) * size).long().unbind(1)
    zero = torch.zeros(1, 1, 1)
    expected = one_by_one(x, lambda i, *box: tv.erase(i, *box, zero), top, left, height, width)
    before = x.clone()
    assert torch.equal(augment.erase(x, top, left, height, width), expected)
    assert torch.equal(x, before)
    assert augment.erase(x, top, left, height, width, inplace=True) is x
    assert torch.equal(x, expected)


# A level is cut down to a whole number after each step, so rounding of the last bit may move it
# by one, where it is (nearly) whole. The step after may stretch that by its factor.
@few
@given(seed=seeds, step=st.sampled_from(["brightness", "contrast", "saturation", "hue"]))
def test_each_step_of_jitter_is_torchvisions_within_a_level(seed: int, step: str) -> None:
    x, u = images(seed), uniform(seed, IMAGES, 1)[:, 0]
    one = torch.ones(IMAGES)
    amounts = {"brightness": one, "contrast": one, "saturation": one, "hue": 0 * one}
    amounts[step] = u - 0.5 if step == "hue" else 2 * u
    expected = one_by_one(x, getattr(tv, f"adjust_{step}"), amounts[step])
    assert_levels(jitter(x, **amounts), expected, most=1, share=0.001)


@few
@given(seed=seeds)
def test_jitter_is_torchvisions_steps(seed: int) -> None:
    x = images(seed)
    amounts = augment.draw_jitter(uniform(seed, IMAGES, 4))
    expected = x
    for step, amount in zip(("brightness", "contrast", "saturation", "hue"), amounts, strict=True):
        expected = one_by_one(expected, getattr(tv, f"adjust_{step}"), amount)
    # A level in contrast may become 1.2 · 1.2 in saturation, and hue mixes three channels.
    assert_levels(jitter(x, *amounts), expected, most=3, share=0.001)


def assert_levels(ours: Tensor, theirs: Tensor, most: int, share: float) -> None:
    assert ours.dtype == theirs.dtype == torch.uint8
    apart = (ours.int() - theirs.int()).abs()
    assert apart.max() <= most
    assert (apart > 0).float().mean() <= share


def test_jitter_leaves_an_image_as_it_is_at_factors_of_one() -> None:
    x, one = images(0), torch.ones(IMAGES)
    assert torch.equal(jitter(x, one, one, one, 0 * one), x)


def test_jitter_refuses_floats() -> None:
    one = torch.ones(IMAGES)
    with pytest.raises(TypeError, match=r"^colours are changed on uint8 images, not torch\.float"):
        jitter(images(0).float(), one, one, one, one)


def assert_same_but_at_edges(ours: Tensor, theirs: Tensor, from_x: Tensor, from_y: Tensor) -> None:
    """Equal, save where the source lies between two pixels, within rounding of the last bits."""

    def near_edge(place: Tensor) -> Tensor:
        return ((place - place.floor()) - 0.5).abs() < 1e-4

    apart = (ours != theirs).any(1)
    assert not (apart & ~(near_edge(from_x) | near_edge(from_y))).any()


@few
@given(seed=seeds, side=sides, most=st.sampled_from([augment.ANGLE, 180.0]))
def test_rotate_is_torchvisions(seed: int, side: tuple[int, int], most: float) -> None:
    x, angle = images(seed, IMAGES, *side), most * (2 * uniform(seed, IMAGES, 1)[:, 0] - 1)
    zero = torch.zeros(IMAGES)
    places = sources(*side, -angle, zero, zero, zero + 1, zero)
    assert_same_but_at_edges(rotate(x, angle), one_by_one(x, tv.rotate, angle), *places)


@pytest.mark.parametrize("angle", [0.0, 90.0, 180.0, 270.0, -90.0])
def test_right_angles_are_exact(angle: float) -> None:
    x = images(1)
    assert torch.equal(rotate(x, torch.full((IMAGES,), angle)), tv.rotate(x, angle))


@few
@given(seed=seeds, side=sides, channels_last=st.booleans())
def test_affine_is_torchvisions(seed: int, side: tuple[int, int], channels_last: bool) -> None:
    x, u = images(seed, IMAGES, *side), 2 * uniform(seed, IMAGES, 5) - 1
    angle, move_x, move_y = 180 * u[:, 0], 6 * u[:, 1], (6 * u[:, 2]).round()
    scale, shear = 1.5 ** u[:, 3], 40 * u[:, 4]

    def reference(image: Tensor, angle: float, x: float, y: float, s: float, lean: float) -> Tensor:
        done: Tensor = tv.affine(image, angle, [x, y], s, [lean, 0.0])
        return done

    amounts = (angle, move_x, move_y, scale, shear)
    expected = one_by_one(x, reference, *amounts)
    given = x.to(memory_format=torch.channels_last) if channels_last else x
    assert_same_but_at_edges(affine(given, *amounts), expected, *sources(*side, *amounts))


MANY = 20_000


def assert_uniform(values: Tensor, low: float, high: float) -> None:
    """Within bounds, and every tenth of the range holds a tenth of the values (6 sigma)."""
    assert values.min() >= low
    assert values.max() <= high
    counts = torch.histc(values.double(), 10, low, high)
    assert ((counts - MANY / 10).abs() < 6 * math.sqrt(MANY * 0.09)).all()


def test_drawn_crops_and_flips() -> None:
    for offset in augment.draw_crop(uniform(0, MANY, 2)):
        assert sorted(set(offset.tolist())) == list(range(9))
        counts = offset.bincount()
        assert ((counts - MANY / 9).abs() < 6 * math.sqrt(MANY / 9)).all()
    assert augment.draw_flip(uniform(1, MANY, 1)).float().mean() == pytest.approx(0.5, abs=0.02)


def test_drawn_amounts_have_torchvisions_ranges() -> None:
    theirs = v2.ColorJitter(0.2, 0.2, 0.2, 0.1)
    ranges = (theirs.brightness, theirs.contrast, theirs.saturation, theirs.hue)
    amounts = augment.draw_jitter(uniform(2, MANY, 4))
    for amount, (low, high) in zip(amounts, ranges, strict=True):
        assert_uniform(amount, low - 1e-6, high + 1e-6)
    assert_uniform(augment.draw_rotation(uniform(3, MANY, 1)), *v2.RandomRotation(15).degrees)


def test_drawn_affine_maps() -> None:
    angle, move_x, move_y, scale, shear = augment.draw_affine(uniform(4, MANY, 3), 20, 32)
    assert not angle.any()
    assert not shear.any()
    # torchvision rounds what it draws from -3.2 to 3.2 (-2 to 2), so that the ends are rarer.
    assert sorted(set(move_x.tolist())) == [-3, -2, -1, 0, 1, 2, 3]
    assert sorted(set(move_y.tolist())) == [-2, -1, 0, 1, 2]
    assert (move_x == 3).float().mean() == pytest.approx(0.7 / 6.4, abs=0.01)
    assert_uniform(scale, 0.9 - 1e-6, 1.1 + 1e-6)


@pytest.mark.parametrize("side", [(32, 32), (12, 40)])
def test_drawn_rectangles_are_distributed_as_torchvisions(side: tuple[int, int]) -> None:
    top, left, height, width = augment.draw_erase(uniform(5, MANY, DRAWS["cutout"]), *side)
    erased = height > 0
    assert torch.equal(erased, width > 0)
    assert erased.float().mean() == pytest.approx(augment.ERASED, abs=0.02)
    for start, size, most in ((top, height, side[0]), (left, width, side[1])):
        assert (start >= 0).all()
        assert (start + size <= most).all()
        assert (size < most).all()
    theirs = v2.RandomErasing(p=1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn = [theirs.make_params([torch.empty(3, *side)]) for _ in range(1500)]
    for name, values in (("i", top), ("j", left), ("h", height), ("w", width)):
        expected = torch.tensor([float(p[name]) for p in drawn])
        ours = values[erased].float()
        for share in (0.1, 0.5, 0.9):
            # Medians of a few hundred whole numbers: within a pixel and a half.
            assert ours.quantile(share) == pytest.approx(expected.quantile(share).item(), abs=1.5)


def test_the_first_rectangle_that_fits_is_taken() -> None:
    u = torch.zeros(3, DRAWS["cutout"])
    areas, ratios = u[:, 3 : 3 + augment.ERASE_ATTEMPTS], u[:, 3 + augment.ERASE_ATTEMPTS :]
    areas.fill_(0.999)
    ratios.fill_(0.999)  # 33 rows of 32
    areas[1, 4], ratios[1, 4] = 0.5, 0.5
    areas[1, 7], ratios[1, 7] = 0.0, 0.5
    u[2, 0], areas[2], ratios[2] = 0.6, 0.5, 0.5
    _, _, height, width = augment.draw_erase(u, 32, 32)
    side = math.sqrt(0.175 * 32 * 32)
    assert height.tolist() == [0, round(side * math.sqrt(math.sqrt(0.99))), 0]
    assert width.tolist() == [0, round(side / math.sqrt(math.sqrt(0.99))), 0]


def test_the_largest_uniform_number_stays_in_range() -> None:
    u = torch.full((1, 34), 1 - 2**-24)
    assert [int(offset) for offset in augment.draw_crop(u[:, :2])] == [8, 8]
    x = images(0, 1)
    assert Augmentation(AUGMENTATIONS, normalise)(x, u).isfinite().all()


@pytest.mark.parametrize(
    "names", [(), *((name,) for name in AUGMENTATIONS), ("crop", "flip"), AUGMENTATIONS]
)
def test_a_batch_is_its_images_one_by_one(names: tuple[str, ...]) -> None:
    whole = Augmentation(names, normalise)
    x, u = images(7), uniform(7, IMAGES, whole.draws)
    before = x.clone()
    out = whole(x, u)
    assert out.dtype == torch.float32
    assert out.shape == x.shape
    assert torch.equal(out, whole(x, u))
    alone = torch.cat([whole(x[i : i + 1], u[i : i + 1]) for i in range(IMAGES)])
    assert torch.equal(out, alone)
    assert torch.equal(out, whole(x.to(memory_format=torch.channels_last), u))
    assert torch.equal(x, before)


def test_nothing_named_is_only_normalised() -> None:
    x = images(8)
    nothing = Augmentation((), normalise)
    assert nothing.draws == 0
    assert torch.equal(nothing(x, torch.zeros(IMAGES, 0)), normalise(x))


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_each_image_has_a_draw_of_its_own(name: str) -> None:
    one = Augmentation((name,), normalise)
    assert one.draws == DRAWS[name]
    x = images(9, 1).expand(16, -1, -1, -1)
    out = one(x, uniform(9, 16, one.draws))
    assert (out != out[:1]).any()


def test_all_are_applied_in_the_catalogues_order() -> None:
    x, u = images(10), uniform(10, IMAGES, sum(DRAWS.values()))
    backwards = Augmentation(AUGMENTATIONS[::-1], normalise)
    assert backwards.names == AUGMENTATIONS
    assert tuple(DRAWS) == AUGMENTATIONS
    d = dict(zip(AUGMENTATIONS, torch.split(u, list(DRAWS.values()), dim=1), strict=True))
    y = augment.flip(augment.crop(x, *augment.draw_crop(d["crop"])), augment.draw_flip(d["flip"]))
    y = rotate(jitter(y, *augment.draw_jitter(d["jitter"])), augment.draw_rotation(d["rotation"]))
    y = normalise(affine(y, *augment.draw_affine(d["affine"], 32, 32)))
    y = augment.erase(y, *augment.draw_erase(d["cutout"], 32, 32))
    assert torch.equal(backwards(x, u), y)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^unknown augmentation 'flips': did you mean 'flip'\?.*$"
    ):
        Augmentation(("crop", "flips"), normalise)


@pytest.mark.parametrize(
    ("x", "draws", "message"),
    [
        (torch.zeros(2, 3, 8, 8), torch.zeros(2, 2), r"images have .* of torch\.float32"),
        (torch.zeros(2, 1, 8, 8).byte(), torch.zeros(2, 2), r"images have .* \(2, 1, 8, 8\)"),
        (torch.zeros(3, 8, 8).byte(), torch.zeros(3, 2), r"images have .* \(3, 8, 8\)"),
        (torch.zeros(2, 3, 8, 8).byte(), torch.zeros(2, 3), r"draws .* \(2, 2\) .* \(2, 3\)"),
        (torch.zeros(2, 3, 8, 8).byte(), torch.zeros(2, 2).double(), r"draws .* torch\.float64"),
        (
            torch.zeros(2, 3, 8, 8).byte(),
            torch.zeros(2, 2, device="meta"),
            r"draws are on meta, but the images on cpu",
        ),
    ],
)
def test_anything_else_is_refused_in_one_line(x: Tensor, draws: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        Augmentation(("crop",), normalise)(x, draws)
    assert "\n" not in str(error.value)


def test_no_value_is_looked_at() -> None:
    """On the meta device there are no values; whatever asks for one raises."""
    whole = Augmentation(AUGMENTATIONS, normalise)
    x = torch.empty(4, 3, 32, 32, dtype=torch.uint8, device="meta")
    assert whole(x, torch.empty(4, whole.draws, device="meta")).shape == x.shape


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_cuda_graph_gives_what_the_cpu_gives() -> None:
    whole = Augmentation(AUGMENTATIONS, normalise)
    x, u = images(11, 64), uniform(11, 64, whole.draws)
    held_x, held_u = x.cuda(), u.cuda()
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    with torch.cuda.stream(side):
        whole(held_x, held_u)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = whole(held_x, held_u)
    held_u.copy_(uniform(12, 64, whole.draws))
    graph.replay()
    apart = (out.cpu() - whole(x, uniform(12, 64, whole.draws))).abs()
    # Rounding may move a pixel's source or its level; in normalising it stays far below a level.
    assert (apart > LEVEL / 2).float().mean() < 0.001
