"""MiniLM with one output: the log-odds that a text is an attack.

Six layers of BERT (Wang et al., *MiniLM: Deep Self-Attention Distillation*, 2020) in the weights of
`sentence-transformers/all-MiniLM-L6-v2`, the mean over all tokens, and a linear head.
"""

from __future__ import annotations

from zipfile import ZipFile

import torch
from safetensors.torch import load
from tokenizers import Tokenizer
from torch import Tensor, nn

__all__ = ["AttackClassifier", "read_base", "read_tokenizer"]

LAYERS, WIDTH, HEADS, INNER = 6, 384, 12, 1536
VOCABULARY, POSITIONS = 30_522, 512
EPSILON, DROPOUT = 1e-12, 0.1
BARELY = -1e4
"""Added to the attention that padding would get."""

PARTS = {
    "attention_out": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "widen": "intermediate.dense",
    "narrow": "output.dense",
    "norm": "output.LayerNorm",
}
"""Our names in a layer → BERT's."""


class Layer(nn.Module):
    """Attention and a feed-forward network, each added to what came in and normalized."""

    def __init__(self) -> None:
        super().__init__()
        self.query_key_value = nn.Linear(WIDTH, 3 * WIDTH)
        self.attention_out, self.attention_norm = nn.Linear(WIDTH, WIDTH), _norm()
        self.widen, self.narrow, self.norm = (
            nn.Linear(WIDTH, INNER),
            nn.Linear(INNER, WIDTH),
            _norm(),
        )
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, hidden: Tensor, padding: Tensor) -> Tensor:
        """Return hidden states of the same shape: (texts, tokens, width)."""
        texts, tokens, _ = hidden.shape
        split = self.query_key_value(hidden).reshape(texts, tokens, 3, HEADS, WIDTH // HEADS)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        weights = query @ key.transpose(-1, -2) * (WIDTH // HEADS) ** -0.5 + padding
        attended = (torch.softmax(weights, -1) @ value).transpose(1, 2).reshape(hidden.shape)
        hidden = self.attention_norm(hidden + self.dropout(self.attention_out(attended)))
        wide = nn.functional.gelu(self.widen(hidden))
        return self.norm(hidden + self.dropout(self.narrow(wide)))


class AttackClassifier(nn.Module):
    """Token numbers and a mask to one log-odds for each text."""

    def __init__(self) -> None:
        """Make the layers; `read_base` fills them."""
        super().__init__()
        self.words, self.places = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(POSITIONS, WIDTH)
        self.kind = nn.Parameter(torch.zeros(WIDTH))
        self.embedding_norm = _norm()
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.dropout, self.head = nn.Dropout(DROPOUT), nn.Linear(WIDTH, 1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the log-odds of each text."""
        mask = attention_mask.to(self.kind.dtype)
        hidden = self.words(input_ids) + self.places.weight[: input_ids.shape[1]] + self.kind
        hidden = self.embedding_norm(hidden)
        padding = (1 - mask)[:, None, None, :] * BARELY
        for layer in self.layers:
            hidden = layer(hidden, padding)
        mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return self.head(self.dropout(mean)).squeeze(-1)


def _norm() -> nn.LayerNorm:
    return nn.LayerNorm(WIDTH, EPSILON)


def read_base(archive: str) -> AttackClassifier:
    """Read the pretrained weights from an archive with `model.safetensors`."""
    with ZipFile(archive) as files:
        base = load(files.read("model.safetensors"))
    found = {
        "words.weight": base["embeddings.word_embeddings.weight"],
        "places.weight": base["embeddings.position_embeddings.weight"],
        "kind": base["embeddings.token_type_embeddings.weight"][0],
        "embedding_norm.weight": base["embeddings.LayerNorm.weight"],
        "embedding_norm.bias": base["embeddings.LayerNorm.bias"],
    }
    for number in range(LAYERS):
        theirs = f"encoder.layer.{number}"
        for kind in ("weight", "bias"):
            found[f"layers.{number}.query_key_value.{kind}"] = torch.cat(
                [
                    base[f"{theirs}.attention.self.{part}.{kind}"]
                    for part in ("query", "key", "value")
                ]
            )
            for ours, name in PARTS.items():
                found[f"layers.{number}.{ours}.{kind}"] = base[f"{theirs}.{name}.{kind}"]
    network = AttackClassifier()
    missing = network.load_state_dict(found, strict=False).missing_keys
    if missing != ["head.weight", "head.bias"]:
        msg = f"`{archive}` lacks {', '.join(missing)}"
        raise ValueError(msg)
    return network


def read_tokenizer(archive: str) -> Tokenizer:
    """Read the tokenizer, without the truncation and padding it was saved with."""
    with ZipFile(archive) as files:
        tokenizer = Tokenizer.from_str(files.read("tokenizer.json").decode())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
