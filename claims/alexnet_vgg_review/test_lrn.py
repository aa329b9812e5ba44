"""Local response normalisation: how a strong response holds its neighbours down.

Channel i becomes bᵢ = aᵢ / (k + α Σⱼ aⱼ²)^β, the sum over the n channels around i, with the paper's
k = 2, n = 5, α = 1e-4, β = 0.75. torch takes the mean of the n squares where the paper takes their
sum, α/n for α, so its layer is given n α = 5e-4.
"""

import math
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from claims.alexnet_vgg_review.protocol import ALEXNET_VGG
from cvclaims import claim

if TYPE_CHECKING:
    from torch import Tensor

WHAT_LRN_IS = ALEXNET_VGG.at("Questions on AlexNet: what is LRN?")
K, N, ALPHA, BETA = 2.0, 5, 1e-4, 0.75

# What ReLU may put out; the smallest positive ones are left out, as rounding would decide there.
responses = st.one_of(st.just(0.0), st.floats(0.01, 1000))
channels = st.lists(responses, min_size=1, max_size=12)


def paper(a: list[float], alpha: float = ALPHA) -> "Tensor":
    """The paper's formula (section 3.3), channel by channel."""
    import torch

    def normalised(i: int) -> float:
        around = a[max(0, i - N // 2) : min(len(a), i + N // 2 + 1)]
        return a[i] / math.pow(K + alpha * sum(x**2 for x in around), BETA)

    return torch.tensor([normalised(i) for i in range(len(a))], dtype=torch.float64)


def lrn(a: list[float], alpha: float = N * ALPHA) -> "Tensor":
    """torch's layer on one pixel of len(a) channels."""
    import torch

    layer = torch.nn.LocalResponseNorm(N, alpha=alpha, beta=BETA, k=K)
    normalised: Tensor = layer(torch.tensor(a, dtype=torch.float64).view(1, -1, 1, 1))
    return normalised.flatten()


@claim(
    "1.10",
    "torch's layer is the paper's formula when given n α, since it divides its alpha by n",
    source=ALEXNET_VGG.at("ours, beside 1.10"),
    case="torch's convention",
)
@given(channels)
def test_torch_divides_alpha_by_n(a: list[float]) -> None:
    assert (lrn(a) - paper(a)).abs().max() <= 1e-9
    assert (lrn(a, ALPHA) - paper(a, ALPHA / N)).abs().max() <= 1e-9


@claim(
    "1.10",
    "The larger the neighbours, the smaller the response",
    source=WHAT_LRN_IS,
    case="large neighbours",
)
@given(
    a=st.floats(0.01, 1000),
    neighbours=st.lists(responses, min_size=4, max_size=4),
    which=st.integers(0, 3),
    more=st.floats(0.01, 1000),
)
def test_large_neighbours_suppress(
    a: float, neighbours: list[float], which: int, more: float
) -> None:
    larger = [x + more if i == which else x for i, x in enumerate(neighbours)]
    before = lrn([*neighbours[:2], a, *neighbours[2:]])[2]
    after = lrn([*larger[:2], a, *larger[2:]])[2]
    assert after < before


@claim(
    "1.10",
    "With smaller neighbours the suppression weakens: more of the response is left",
    source=WHAT_LRN_IS,
    case="small neighbours",
)
@given(
    a=st.floats(0.01, 1000),
    neighbours=st.lists(st.floats(1, 1000), min_size=4, max_size=4),
    share=st.floats(0, 0.9),
)
def test_small_neighbours_suppress_less(a: float, neighbours: list[float], share: float) -> None:
    smaller = [share * x for x in neighbours]
    before = lrn([*neighbours[:2], a, *neighbours[2:]])[2]
    after = lrn([*smaller[:2], a, *smaller[2:]])[2]
    assert before < after < a


@claim(
    "1.10",
    "Zero neighbours leave a response almost unchanged but for the constant 1/k^β (up to 10, "
    "within 5 %)",
    source=ALEXNET_VGG.at("ours, beside 1.10"),
    case="zero neighbours, up to 1/k^β",
)
@given(a=st.floats(0.01, 10))
def test_zero_neighbours_leave_a_response_unchanged_but_for_k(a: float) -> None:
    alone = lrn([0.0, 0.0, a, 0.0, 0.0])[2]
    assert abs(alone - a / K**BETA) <= 0.05 * a / K**BETA


@claim(
    "1.11",
    "LRN tames ReLU's large outputs: scaling the input by c > 1 scales the output by less than c",
    source=ALEXNET_VGG.at("Questions on AlexNet: LRN together with ReLU"),
)
@given(a=channels, c=st.floats(1.01, 1000))
def test_lrn_tames_large_outputs(a: list[float], c: float) -> None:
    before, after = lrn(a), lrn([c * x for x in a])
    positive = before > 0
    assert (after[positive] < c * before[positive]).all()
    assert (after[~positive] == 0).all()
