import pytest
import torch

from ganzo.nn.cache import read_tensors, write_tensors
from ganzo.nn.collected import Collected, Seen, as_seen
from ganzo.nn.protocol import differences, low_rank
from small import equal

ALL = {"moments", "class-moments", "features", "logits"}


def filled(sizes=(3, 4, 5), needs=ALL, keep=None):
    draw, found = torch.Generator().manual_seed(0), Collected(needs, keep)
    features, logits = torch.randn(12, 6, generator=draw), torch.randn(12, 4, generator=draw)
    for part in torch.arange(12).split(list(sizes)):
        found.add(Seen(features[part], logits[part]), part % 3)
    return found, features


def test_parts_make_a_whole():
    one, features = filled()
    other, _ = filled((12,))
    assert one.count == other.count == 12
    assert torch.equal(one.features(), features) and torch.equal(one.logits, other.logits)
    assert one.labels.tolist() == [0, 1, 2] * 4
    torch.testing.assert_close(one.moments.covariance, other.moments.covariance)
    assert {number: moments.count for number, moments in one.by_class.items()} == {0: 4, 1: 4, 2: 4}


def test_what_is_kept_of_many_does_not_depend_on_the_parts():
    one, features = filled(keep=2)
    other, _ = filled((12,), keep=2)
    assert torch.equal(one.features(), other.features()) and len(one.features()) == 2
    whole = filled()[0]
    assert torch.equal(whole.features(2), one.features())
    rows = [features.tolist().index(row) for row in whole.features(5).tolist()]
    assert rows == sorted(rows) and len(rows) == 5


def test_only_what_is_needed_is_kept():
    found, _ = filled(needs={"moments"})
    assert found.logits is None and set(found.state()) == {
        "count",
        "all.count",
        "all.mean",
        "all.scatter",
        "labels",
    }


def test_a_stored_set_is_the_same(tmp_path):
    one, _ = filled(keep=5)
    write_tensors(tmp_path / "sub" / "x.safetensors", one.state())
    other = Collected.of(read_tensors(tmp_path / "sub" / "x.safetensors"), ALL, 5)
    assert equal(one.state(), other.state())
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["x.safetensors"]


def test_a_damaged_file_is_none(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"no tensors")
    assert (
        read_tensors(tmp_path / "x.safetensors") is None and read_tensors(tmp_path / "y.safetensors") is None
    )


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    write_tensors(tmp_path / "file" / "x.safetensors", {"a": torch.zeros(1)})


@pytest.mark.parametrize(
    "read", [torch.ones(2, 3, 1, 1), (torch.ones(2, 3), torch.ones(2, 5)), Seen(torch.ones(2, 3))]
)
def test_extractors_return_features_alone_or_with_logits(read):
    assert as_seen(read).features.shape == (2, 3)


def test_too_few_images_for_the_features_are_noticed():
    one, _ = filled()
    assert low_rank({"moments"}, one, one) is None
    assert low_rank({"class-moments"}, one, one) == (4, 6)


def test_protocols_differ_in_all_but_seeds():
    one = {"features": "random", "fake": 5, "seed": 0}
    assert differences(one, one | {"seed": 7}) == []
    assert differences(one, {"features": "random", "fake": 6}) == ["fake: 5 and 6"]
