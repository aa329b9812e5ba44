"""Folders and archives of images: everything that can be wrong with them."""

import gzip
import io
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cvclaims.data import pictures
from cvclaims.data.folder import DataError, IncompleteError
from cvclaims.data.pictures import Layout, Pictures, decoded, in_archive, in_folder

Plant = Callable[..., Path]
# Two of CIFAR-10's classes are enough to be wrong.
LAYOUT = Layout(("airplane", "automobile"), (3, 2), (32, 32), "mend it")


@pytest.fixture
def tree(tmp_path: Path, plant: Plant) -> Path:
    """A folder of PNG images, two classes of it."""
    tree = plant(tmp_path)
    for place in (*tree.glob("train/*"), *tree.glob("test/*")):
        if place.name not in LAYOUT.classes:
            shutil.rmtree(place)
    return tree


def archive_of(tree: Path) -> Path:
    archive = tree.with_suffix(".tar.gz")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tree, "cifar10")
    return archive


def fault(tree: Path, kind: type[DataError] = DataError) -> str:
    """What is said of a folder, which is what is said of its archive, but for the place."""
    with pytest.raises(kind) as caught:
        decoded(in_folder(tree)[1], LAYOUT)
    archive = archive_of(tree)
    with pytest.raises(kind) as again:
        decoded(in_archive(archive, "cifar10", LAYOUT), LAYOUT)
    message = str(caught.value)
    assert str(again.value) == message.replace(f"{tree}/", f"{archive}: cifar10/")
    assert type(caught.value) is type(again.value) is kind
    assert message.startswith(f"{tree}/")
    assert "\n" not in message
    return message.removeprefix(f"{tree}/")


def image(mode: str, size: tuple[int, int] = (32, 32)) -> Image.Image:
    return Image.effect_noise(size, 90).convert(mode)


@pytest.mark.parametrize("folder", ["train", "test", "train/automobile", "test/airplane"])
def test_a_folder_that_lacks_is_named(tree: Path, folder: str) -> None:
    shutil.rmtree(tree / folder)
    assert fault(tree, IncompleteError) == f"{folder} is not there: mend it"


def test_a_class_without_images_is_named(tree: Path) -> None:
    for path in (tree / "test" / "automobile").iterdir():
        path.unlink()
    assert fault(tree, IncompleteError) == "test/automobile holds no images: mend it"


def test_an_image_that_lacks_or_is_too_much_is_counted(tree: Path) -> None:
    path = tree / "train" / "automobile" / "0001.png"
    shutil.copy(path, tree / "train" / "automobile" / "more.png")
    assert fault(tree) == (
        "train/automobile holds 4 files instead of 3 images: keep those elsewhere that do not "
        "belong there, such as more.png"
    )
    (path.parent / "more.png").unlink()
    path.unlink()
    assert fault(tree, IncompleteError) == ("train/automobile holds 2 images instead of 3: mend it")


def test_train_and_test_mixed_up_are_told(tree: Path) -> None:
    (tree / "train").rename(tree / "other")
    (tree / "test").rename(tree / "train")
    (tree / "other").rename(tree / "test")
    assert fault(tree) == (
        "train and test are mixed up: train holds 2 images of each class and test 3: "
        "exchange their names"
    )


@pytest.mark.parametrize("name", ["labels.txt", "train/labels.txt", "train/airplane/more/a.png"])
def test_a_file_elsewhere_is_named(tree: Path, name: str) -> None:
    (tree / name).parent.mkdir(exist_ok=True)
    (tree / name).touch()
    stray = name if name.count("/") < 3 else name.rpartition("/")[0]
    assert fault(tree) == f"{stray} does not belong there: keep it elsewhere"


@pytest.mark.parametrize("name", ["validation", "train/Airplane", "test/spaceship", "__MACOSX"])
def test_a_folder_too_much_is_named(tree: Path, name: str) -> None:
    (tree / name).mkdir()
    assert fault(tree) == f"{name} does not belong there: keep it elsewhere"


@pytest.mark.parametrize("name", [".DS_Store", "train/.cache/x", "test/airplane/._0001.png"])
def test_hidden_files_and_folders_do_not_count(tree: Path, name: str) -> None:
    (tree / name).parent.mkdir(exist_ok=True)
    (tree / name).write_bytes(b"hidden")
    for found in (in_folder(tree)[1], in_archive(archive_of(tree), "cifar10", LAYOUT)):
        assert len(decoded(found, LAYOUT)[0][1]) == 6


@pytest.mark.parametrize("name", ["Thumbs.db", "0001.png~"])
def test_what_systems_and_editors_put_there_is_named(tree: Path, name: str) -> None:
    # One image less, so that only the name tells.
    (tree / "train" / "automobile" / "0001.png").rename(tree / "train" / "automobile" / name)
    assert fault(tree) == f"train/automobile/{name} does not belong there: keep it elsewhere"


def test_names_of_systems_and_editors_are_known() -> None:
    junk = ["ehthumbs.db", "ehthumbs_vista.db", "Desktop.ini", "THUMBS.DB", "Icon\r", "#0001.png#"]
    junk += ["0001.PNG.bak", "0001.png.orig", "0001.png.part", "0001.tmp", ".DS_Store~"]
    assert [name for name in junk if LAYOUT.belongs(f"train/airplane/{name}")] == []
    for name in ("0001.png", "thumbs.png", "desktop.jpg", "bak", "icon", "#1.png"):
        assert LAYOUT.belongs(f"train/airplane/{name}")


def test_a_copy_among_many_is_named(tree: Path) -> None:
    place = tree / "test" / "airplane"
    shutil.copy(place / "0001.png", place / "0001 (copy).png")
    assert fault(tree).endswith("do not belong there, such as 0001 (copy).png")
    (place / "0001 (copy).png").rename(place / "0002.png")
    assert fault(tree) == (
        "test/airplane holds 3 files instead of 2 images: keep those elsewhere that do not belong "
        "there"
    )


def test_a_pipe_is_not_waited_for(tree: Path) -> None:
    path = tree / "train" / "airplane" / "0001.png"
    path.unlink()
    os.mkfifo(path)
    assert fault(tree) == "train/airplane/0001.png does not belong there: keep it elsewhere"


def test_a_file_that_is_far_too_large_is_not_read(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "LARGEST", 10_000)
    with (tree / "train" / "airplane" / "0001.png").open("r+b") as file:
        file.truncate(10**9)  # of nothing: no disk is filled
    with pytest.raises(DataError) as caught:
        decoded(in_folder(tree)[1], LAYOUT)
    assert str(caught.value) == (
        f"{tree}/train/airplane/0001.png is larger than an image of the data set can be: mend it"
    )


def test_names_that_steer_a_terminal_are_shown(tree: Path) -> None:
    (tree / "train" / "\x1b[2J\n\u202e\udcff").touch()
    assert fault(tree) == (r"train/\x1b[2J \u202e\udcff does not belong there: keep it elsewhere")


def test_links_that_go_round_end(tree: Path) -> None:
    (tree / "train" / "airplane" / "round").symlink_to(tree, target_is_directory=True)
    with pytest.raises(DataError, match="train/airplane/round does not belong there"):
        decoded(in_folder(tree)[1], LAYOUT)


def test_a_link_to_nothing_is_named(tree: Path) -> None:
    path = tree / "train" / "airplane" / "0001.png"
    path.unlink()
    path.symlink_to(tree / "nothing")
    with pytest.raises(DataError, match=r"train/airplane/0001\.png cannot be read: No such file"):
        in_folder(tree)


@pytest.mark.parametrize("content", [b"", b"<html>404 Not Found</html>"], ids=["empty", "html"])
def test_what_is_no_image_is_named(tree: Path, content: bytes) -> None:
    (tree / "test" / "airplane" / "0001.png").write_bytes(content)
    assert fault(tree) == (
        "test/airplane/0001.png cannot be decoded "
        "(none of the formats JPEG, PNG, WEBP, GIF, BMP, PPM, TIFF): mend it"
    )


def of_content(content: bytes) -> Pictures:
    """A whole set, all of whose files hold the same."""
    places = [f"train/{name}/{i}" for name in LAYOUT.classes for i in range(3)]
    places += [f"test/{name}/{i}" for name in LAYOUT.classes for i in range(2)]
    folders = [f"{place.rpartition('/')[0]}/" for place in places]
    return Pictures("at/", frozenset([*places, *folders, "train/", "test/"]), lambda _: content)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    form=st.sampled_from(["JPEG", "PNG", "GIF", "BMP", "PPM", "TIFF", "WEBP"]),
    share=st.floats(0, 1),
)
def test_an_image_that_breaks_off_is_named_wherever_it_does(form: str, share: float) -> None:
    stream = io.BytesIO()
    Image.effect_noise((32, 32), 90).save(stream, form)
    content = stream.getvalue()
    assert len(decoded(of_content(content), LAYOUT)[0][1]) == 6
    # GIF and PNG end in a mark that nobody needs; all before it is needed.
    needed = len(content) - {"GIF": 2, "PNG": 12}.get(form, 0)
    broken = content[: min(int(share * needed), needed - 1)]
    with pytest.raises(DataError, match=r"^at/train/airplane/0 cannot be decoded \(.+\): mend it$"):
        decoded(of_content(broken), LAYOUT)


@pytest.mark.parametrize("size", [(32, 31), (64, 64), (1, 1)])
def test_an_image_of_another_size_is_named(tree: Path, size: tuple[int, int]) -> None:
    image("RGB", size).save(tree / "train" / "airplane" / "0002.png")
    assert fault(tree) == (
        f"train/airplane/0002.png has {size[0]} × {size[1]} pixels instead of 32 × 32: "
        "replace it by the data set's own image"
    )


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_an_image_of_another_mode_is_named(tree: Path, mode: str) -> None:
    image("L").convert(mode).save(tree / "train" / "airplane" / "0002.png")
    assert fault(tree).endswith("maybe with transparency: save it as an opaque RGB image")


def test_an_image_of_more_than_eight_bits_is_named(tree: Path) -> None:
    image("L").convert("I;16").save(tree / "train" / "airplane" / "0002.png")
    assert fault(tree) == (
        "train/airplane/0002.png has 16 bits in a channel instead of 8: save it as an 8-bit RGB "
        "image"
    )


def test_transparency_is_refused_in_a_palette_too(tree: Path) -> None:
    image("P").save(tree / "train" / "airplane" / "0002.png", transparency=3)
    assert fault(tree) == (
        "train/airplane/0002.png is P, maybe with transparency: save it as an opaque RGB image"
    )


def test_a_moving_picture_is_refused(tree: Path) -> None:
    path = tree / "train" / "airplane" / "0002.png"
    frames = [image("L"), image("L")]
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:])
    assert fault(tree) == (
        "train/airplane/0002.png holds several images: put the data set's own image there"
    )


@pytest.mark.parametrize("mode", ["L", "1", "P"])
def test_grey_and_palette_become_rgb(tree: Path, mode: str) -> None:
    picture = image(mode)
    picture.save(tree / "train" / "airplane" / "0002.png")
    (x, _), _, lossy = decoded(in_folder(tree)[1], LAYOUT)
    np.testing.assert_array_equal(x[2].transpose(1, 2, 0), np.asarray(picture.convert("RGB")))
    assert lossy == []


def test_a_grey_jpeg_has_three_equal_channels(tree: Path) -> None:
    image("L").save(tree / "train" / "airplane" / "0002.png", "JPEG")
    (x, _), _, lossy = decoded(in_folder(tree)[1], LAYOUT)
    assert (x[2] == x[2, :1]).all()
    assert lossy == ["JPEG"]


def test_an_image_that_cannot_be_read_is_named(tree: Path) -> None:
    found = in_folder(tree)[1]
    (tree / "train" / "airplane" / "0000.png").unlink()  # after the folder was listed
    with pytest.raises(DataError, match=r"airplane/0000\.png cannot be read: No such file"):
        decoded(found, LAYOUT)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(share=st.floats(0, 1, exclude_max=True))
def test_an_archive_that_breaks_off_is_damaged(
    share: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("archive")
    with tarfile.open(place / "a.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("cifar10/train/airplane/a.png"))
    content = (place / "a.tar.gz").read_bytes()
    (place / "a.tar.gz").write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=r"a\.tar\.gz is damaged \(.+\): mend it"):
        in_archive(place / "a.tar.gz", "cifar10", LAYOUT)


def test_a_flipped_bit_in_an_archive_is_noticed(tree: Path) -> None:
    archive = archive_of(tree)
    content = bytearray(archive.read_bytes())
    content[-6] ^= 1  # of the checksum: nothing else is wrong
    archive.write_bytes(content)
    with pytest.raises(DataError, match=r"is damaged \(CRC check failed .+\): mend it"):
        in_archive(archive, "cifar10", LAYOUT)


@pytest.mark.parametrize(
    "content", [b"", b"<html>", gzip.compress(b"no archive" * 100)], ids=["empty", "html", "gzip"]
)
def test_what_is_no_archive_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.tar\.gz is damaged \(.+\): mend it"):
        in_archive(tmp_path / "a.tar.gz", "cifar10", LAYOUT)


@pytest.mark.parametrize("name", ["train/airplane/a.png", "../cifar11/a.png", "other/a.png"])
def test_an_archive_of_something_else_is_refused(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo(name))
    path = tmp_path / "a.tar.gz"
    if name.startswith(".."):
        assert in_archive(path, "cifar10", LAYOUT).names == frozenset()  # hidden: nothing is read
        return
    with pytest.raises(
        DataError, match=rf"a\.tar\.gz: {name} does not belong there: keep it elsewhere"
    ):
        in_archive(path, "cifar10", LAYOUT)


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    member = tarfile.TarInfo("cifar10/train/airplane/a.png")
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.addfile(member)
    with pytest.raises(
        DataError, match=r"airplane/a\.png does not belong there: keep it elsewhere"
    ):
        in_archive(tmp_path / "a.tar.gz", "cifar10", LAYOUT)


def test_an_archive_need_not_list_its_folders(tree: Path) -> None:
    with tarfile.open(tree.with_suffix(".tar.gz"), "w:gz") as tar:
        for path in sorted(tree.rglob("*.png"), reverse=True):
            tar.add(path, f"./cifar10/{path.relative_to(tree)}")
    found = in_archive(tree.with_suffix(".tar.gz"), "cifar10", LAYOUT)
    (x, y), (test_x, _), _ = decoded(found, LAYOUT)
    (expected, labels), (test, _), _ = decoded(in_folder(tree)[1], LAYOUT)
    np.testing.assert_array_equal(x, expected)
    np.testing.assert_array_equal(test_x, test)
    assert y.tolist() == labels.tolist() == [0, 0, 0, 1, 1, 1]
