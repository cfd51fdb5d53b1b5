"""A ConvLSTM that sees the beginning of a clip and predicts what comes, one frame after the other.

A recurrent network whose memory is a picture: every gate is a convolution, so a thing that moves can be carried along
by a kernel (Shi et al. 2015, arXiv:1506.04214). An *encoder* reads the past; what it remembers is handed to a
*forecaster*, which reads its own predictions. Here both are one network with one set of weights, as in the PredRNN
family (Wang et al. 2017), so that every frame of the past is a lesson in prediction too.

The cell is the one without peepholes: gates look at the input and the hidden state, not at the memory. Speed decides
the rest. Frames are cut into patches of 4×4 pixels before anything else; one cell works on that grid, a quarter of the
height, where digits are drawn; another on a grid half as fine, where most weights are and a kernel reaches far.
"""

from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common.models.shipped import Shipped
from common.tensor_ops import append_dims

State = tuple[torch.Tensor, torch.Tensor]  # hidden state h and memory c, each (B, C, H, W)

PRESETS = {
    "ci": {"fine_channels": 16, "coarse_channels": 32, "feedback_channels": 8},
    "cpu": {"fine_channels": 48, "coarse_channels": 96, "feedback_channels": 24},
    "gpu": {"fine_channels": 80, "coarse_channels": 192, "feedback_channels": 32},
}


class ConvLSTMCell(nn.Module):
    """One step of a convolutional LSTM, without peepholes.

    With a kernel of 1 on a picture of one pixel it is `torch.nn.LSTMCell`, and its gates are in the same order.

    Args:
        in_channels: of the input.
        hidden_channels: of the hidden state and the memory.
        kernel_size: odd: how far a gate sees.
    """

    def __init__(self, in_channels: int, hidden_channels: int, kernel_size: int = 3):
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"the kernel of a cell is odd, or the memory would drift; got {kernel_size}")
        self.hidden_channels = hidden_channels
        channels = in_channels + hidden_channels
        self.gates = nn.Conv2d(channels, 4 * hidden_channels, kernel_size, padding=kernel_size // 2)

    def init_weights(self) -> None:
        """A fresh cell keeps most of what it knows: the forget gate's bias is 1 (Jozefowicz et al. 2015)."""
        bias = self.gates.get_parameter("bias")  # (4 D,)
        nn.init.zeros_(bias)
        nn.init.ones_(bias[self.hidden_channels : 2 * self.hidden_channels])

    def forward(self, x: torch.Tensor, state: State | None = None) -> State:
        """One step of the LSTM: read one input and update the state.

        With i, f, g, o the four parts of one convolution over the input x and the hidden state h, in this order:

            c' = sigmoid(f) c + sigmoid(i) tanh(g)
            h' = sigmoid(o) tanh(c')

        Inputs are left as they are, nothing is kept from call to call, and samples do not mix. Gradients of h' and c'
        reach x, h and c.

        Args:
            x: `(B, in_channels, H, W)`, in any memory layout, of the weights' dtype and on their device.
            state: the hidden state h and the memory c, `(B, hidden_channels, H, W)` each; None for zeros.

        Returns:
            The tuple (h', c'), of the same shapes, with the dtype and device of x.
        """
        if state is None:
            zeros = x.new_zeros(len(x), self.hidden_channels, *x.shape[2:])
            state = (zeros, zeros)
        h, c = state
        i, f, g, o = self.gates(torch.cat([x, h], dim=1)).chunk(4, dim=1)  # (B, hidden, H, W) each
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, c


@dataclass
class PredictorOutput(BaseOutput):
    """What a predictor gives.

    Attributes:
        sample: the frames after the past, `(B, C, num_future, H, W)` in [-1, 1].
        logits: of every frame that was expected, from the past's second one on, `(B, C, T - 1 + num_future, H, W)`:
            the sigmoid is its expected brightness, 0 black and 1 white.
    """

    sample: torch.Tensor
    logits: torch.Tensor


class ConvLSTMPredictor(Shipped, ModelMixin, ConfigMixin):
    """Encoder and forecaster in one. `from_pretrained("digits-convlstm")` gives the one that ships with the library.

    Args:
        in_channels: C of the clips.
        fine_channels: of the cell on the fine grid, a quarter of the height.
        coarse_channels: of the cell on the coarse grid, an eighth of the height.
        feedback_channels: of what the fine cell gets to see of the coarse cell's last hidden state.
    """

    @register_to_config
    def __init__(
        self, in_channels: int = 1, fine_channels: int = 48, coarse_channels: int = 96, feedback_channels: int = 24
    ):
        super().__init__()
        patch = in_channels * 4 * 4
        self.fine = ConvLSTMCell(patch + feedback_channels, fine_channels)
        self.down = nn.Conv2d(4 * fine_channels, coarse_channels, 1)
        self.coarse = ConvLSTMCell(coarse_channels, coarse_channels)
        self.feedback = nn.Conv2d(coarse_channels, 4 * feedback_channels, 1)
        self.up = nn.Conv2d(coarse_channels, 4 * fine_channels, 1)
        self.patches_out = nn.Conv2d(2 * fine_channels, patch, 3, padding=1)
        self.init_weights()

    def init_weights(self) -> None:
        """Fresh weights: cells that keep what they know, and a first guess that is nearly black."""
        for module in self.modules():
            if isinstance(module, ConvLSTMCell):
                module.init_weights()
        bias = self.patches_out.get_parameter("bias")
        nn.init.constant_(bias, -3.0)  # sigmoid(-3) = 0.05: as bright as two digits on black

    def step(self, frame: torch.Tensor, state: tuple[State, State] | None = None):
        """Read one frame and expect the next.

        Args:
            frame: `(B, C, H, W)` in [-1, 1]; height and width are multiples of 8.
            state: of the fine and of the coarse cell; None at the beginning.

        Returns:
            The next frame's logits `(B, C, H, W)`, and the state.

        Raises:
            ValueError: the frame is of another shape.
        """
        if frame.ndim != 4 or frame.shape[1] != self.config.in_channels or frame.shape[2] % 8 or frame.shape[3] % 8:
            raise ValueError(
                f"a frame is (B, {self.config.in_channels}, H, W), H and W multiples of 8; got {tuple(frame.shape)}"
            )
        fine, coarse = state or (None, None)
        x = rearrange((frame + 1) / 2, "b c (h ph) (w pw) -> b (c ph pw) h w", ph=4, pw=4)  # (B, 16 C, H/4, W/4)
        if coarse is None:
            seen = x.new_zeros(len(x), self.config.feedback_channels, *x.shape[2:])
        else:
            seen = rearrange(self.feedback(coarse[0]), "b (c ph pw) h w -> b c (h ph) (w pw)", ph=2, pw=2)
        fine = self.fine(torch.cat([x, seen], dim=1), fine)
        x = self.down(rearrange(fine[0], "b c (h ph) (w pw) -> b (c ph pw) h w", ph=2, pw=2))  # (B, K, H/8, W/8)
        coarse = self.coarse(F.silu(x), coarse)
        x = rearrange(self.up(coarse[0]), "b (c ph pw) h w -> b c (h ph) (w pw)", ph=2, pw=2)
        x = self.patches_out(torch.cat([fine[0], x], dim=1))
        logits = rearrange(x, "b (c ph pw) h w -> b c (h ph) (w pw)", ph=4, pw=4)
        return logits, (fine, coarse)

    def forward(
        self,
        past: torch.Tensor,
        num_future: int = 10,
        truth: torch.Tensor | None = None,
        probability: float | torch.Tensor = 0.0,
        coins: torch.Tensor | None = None,
    ) -> PredictorOutput:
        """Read the past with `step`, then predict frame after frame, each from the ones predicted before.

        The encoder reads every frame of the past, in order. `step` gives the logits of the next frame, and the state
        for the next call. The forecaster goes on with the encoder's state and reads its own last prediction, as
        pixels (`as_pixels`). The last frame of the past is read once: what is expected then is the first frame of the
        future. With `truth` given, what is read at step k, from 0 on, is `scheduled_sampling` of `truth[:, :, k]` and
        the prediction, with this probability and `coins[:, k]`. Nothing is detached.

        Args:
            past: `(B, C, T, H, W)` in [-1, 1], at least one frame.
            num_future: frames to predict, at least one.
            truth: the frames after the past, `(B, C, num_future, H, W)` in [-1, 1]; None where they are not known.
            probability: with which a true frame is read in place of a prediction: a number, or `(B,)`.
            coins: `(B, num_future - 1)` in [0, 1), one for each time that a prediction is read. They are used only
                with `truth`.

        Returns:
            A `PredictorOutput`: `sample`, the predicted frames as pixels, `(B, C, num_future, H, W)`; `logits`, of
            every frame that was expected on the way, `(B, C, T - 1 + num_future, H, W)`.
        """
        state, logits = None, []
        for frame in past.unbind(dim=2):  # the encoder reads what is there
            expected, state = self.step(frame, state)  # (B, C, H, W)
            logits.append(expected)
        for k in range(num_future - 1):  # the forecaster reads what it predicted
            frame = as_pixels(expected)
            if truth is not None:
                frame = scheduled_sampling(truth[:, :, k], frame, probability, coins[:, k])
            expected, state = self.step(frame, state)
            logits.append(expected)
        logits = torch.stack(logits, dim=2)  # (B, C, T - 1 + num_future, H, W)
        return PredictorOutput(sample=as_pixels(logits[:, :, -num_future:]), logits=logits)


def as_pixels(logits: torch.Tensor) -> torch.Tensor:
    """Expected brightness as pixels in [-1, 1]: `2 sigmoid(logits) - 1`."""
    return 2 * torch.sigmoid(logits) - 1


def scheduled_sampling(
    truth: torch.Tensor, predicted: torch.Tensor, probability: float | torch.Tensor, coins: torch.Tensor
) -> torch.Tensor:
    """Scheduled sampling: in each sample the true frame with this probability, else the model's own prediction.

    At 1 this is teacher forcing: training is easy, and unlike what comes later. At 0 it is as hard as it will be. A
    schedule leads from one to the other (Bengio et al. 2015, arXiv:1506.03099).

    Args:
        truth: `(B, C, H, W)`, in any memory layout.
        predicted: the same shape. Gradients go through it where it is read.
        probability: of the truth, from 0 to 1: a number, or `(B,)`, one per sample.
        coins: `(B,)` in [0, 1), one per sample. The truth is read where a coin is below the probability, and no other
            random numbers are drawn.

    Returns:
        `(B, C, H, W)`, a new tensor, each sample whole from one of the two.

    Raises:
        ValueError: the shapes of the frames differ, or the shape of the coins is not `(B,)`.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"truth {tuple(truth.shape)} and prediction {tuple(predicted.shape)} differ in shape")
    if coins.shape != truth.shape[:1]:
        raise ValueError(f"a batch of {len(truth)} takes coins ({len(truth)},), got {tuple(coins.shape)}")
    return torch.where(append_dims(coins < probability, truth), truth, predicted)


def prediction_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy of each pixel's expected brightness, in nats, the mean over all pixels.

    A brightness x = (target + 1) / 2 in [0, 1] counts as the probability of white: `-x log p - (1 - x) log(1 - p)` with
    `p = sigmoid(z)`, z the logit. Like squared error it is smallest where p is the *mean* of what may come; unlike
    squared error it keeps a slope where p is far off. Put p in, and no logarithm of zero can occur any more:

        log(1 + exp(z)) - x z        where the first part is `softplus(z)`

    Logits of any size, right or wrong, give the exact loss and the exact gradient, `(p - x)` over the number of pixels.

    Args:
        logits: `(B, C, T, H, W)`, any float dtype, in any memory layout. It is converted to float32 first.
        target: the true frames, the same shape, in [-1, 1], likewise.

    Returns:
        A scalar of shape (), in float32.

    Raises:
        ValueError: the shapes differ.
    """
    if logits.shape != target.shape:
        raise ValueError(f"logits {tuple(logits.shape)} and target {tuple(target.shape)} differ in shape")
    z, x = logits.float(), (target.float() + 1) / 2
    return (F.softplus(z) - x * z).mean()
