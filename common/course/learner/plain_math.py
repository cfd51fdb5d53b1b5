"""LaTeX for a terminal: `$\\hat x_0 = \\sqrt{s}\\,\\epsilon$` becomes `x̂_0 = √s ε`. Code spans are left alone."""

import re
import unicodedata

LETTERS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ",
    "Theta": "Θ", "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
SIGNS = {
    "cdot": "·", "cdots": "…", "dots": "…", "ldots": "…", "times": "×", "pm": "±", "le": "≤", "leq": "≤", "ge": "≥",
    "geq": "≥", "neq": "≠", "ne": "≠", "approx": "≈", "sim": "~", "propto": "∝", "infty": "∞", "partial": "∂",
    "nabla": "∇", "sum": "Σ", "prod": "Π", "int": "∫", "to": "→", "rightarrow": "→", "leftarrow": "←", "mapsto": "↦",
    "odot": "⊙", "otimes": "⊗", "oplus": "⊕", "circ": "∘", "cup": "∪", "cap": "∩", "subset": "⊂", "forall": "∀",
    "exists": "∃", "ell": "ℓ", "top": "T", "lVert": "‖", "rVert": "‖", "Vert": "‖", "lvert": "|", "rvert": "|",
    "mid": "|", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "langle": "⟨", "rangle": "⟩", "quad": "  ",
    "qquad": "    ", "bmod": "mod", "star": "*", "ast": "*", "prime": "'",
    "in": "∈",
}  # fmt: skip
ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307", "vec": "\u20d7"}
WIDE = {"overline": "bar", "widehat": "hat", "widetilde": "tilde"}
# What only says how its argument looks, or how large a bracket is.
LOOKS = "text|textbf|textit|mathrm|mathbf|mathit|mathcal|mathbb|mathsf|mathtt|boldsymbol|operatorname"
SIZES = "left|right|big|Big|bigl|bigr|Bigl|Bigr|bigg|Bigg|displaystyle|textstyle|limits|nolimits"
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$(?! )([^$]+?)(?<! )\$(?!\d)", re.DOTALL)
ARGUMENT = r"(?:\{([^{}]*)\}|\s*(\\[A-Za-z]+|[^\s{}\\]))"


def plain(markdown: str) -> str:
    """Markdown with every formula as a person would type it. Code spans stay as they are."""
    pieces = re.split(r"(```.*?```|`[^`]*`)", markdown, flags=re.DOTALL)
    return "".join(piece if n % 2 else FORMULA.sub(_formula, piece) for n, piece in enumerate(pieces))


def _formula(found: re.Match) -> str:
    """One formula, from its innermost braces outwards."""
    text = found[1] or found[2]
    text = re.sub(r"\\(?:[,;:!> ]|(?=\s))|~", " ", text).replace("\\{", "\ufdd0").replace("\\}", "\ufdd1")
    text = re.sub(rf"\\(?:{SIZES})(?![A-Za-z])\.?", "", text)
    before = None
    while before != text:
        before = text
        text = re.sub(rf"\\({'|'.join([*ACCENTS, *WIDE])})(?![A-Za-z]){ARGUMENT}", _accent, text)
        text = re.sub(rf"\\(?:{LOOKS})(?![A-Za-z]){ARGUMENT}", lambda m: _inner(m[1], m[2]), text)
        text = re.sub(rf"\\sqrt{ARGUMENT}", lambda m: "√" + _term(m[1], m[2]), text)
        text = re.sub(rf"\\d?frac{ARGUMENT}{ARGUMENT}", lambda m: f"{_term(m[1], m[2])} / {_term(m[3], m[4])}", text)
        text = re.sub(r"([_^])\{([^{}\\]*)\}", lambda m: m[1] + _term(m[2], None), text)
    text = re.sub(r"\\\\", " ", text)
    text = re.sub(r"\\([A-Za-z]+)", lambda m: _named(m[1]), text)
    text = re.sub(r"[{}\\]", "", text).replace("\ufdd0", "{").replace("\ufdd1", "}")
    return unicodedata.normalize("NFC", re.sub(r"\s+", " ", text).strip())


def _named(name: str) -> str:
    """A letter or a sign; a function such as `log` keeps its name."""
    return LETTERS.get(name) or SIGNS.get(name) or name


def _inner(braced: str | None, single: str | None) -> str:
    return (braced if braced is not None else single or "").strip()


def _term(braced: str | None, single: str | None) -> str:
    """An argument, in brackets where it is more than one word."""
    text = _inner(braced, single)
    return text if re.fullmatch(r"√?\\?[\w.]*\w[^\w\s+\-/*,=]*", text) else f"({text})"


def _accent(found: re.Match) -> str:
    name, text = found[1], _inner(found[2], found[3])
    text = re.sub(r"\\([A-Za-z]+)", lambda m: _named(m[1]), text)
    mark = ACCENTS[WIDE.get(name, name)]
    return text[:1] + mark + text[1:] if len(text) == 1 else f"({text}){mark}"
