"""Puts another torch and another pytest into the list of modules.

Expect: double=fail,error quadruple=blocked,error,fail greeting=pass,error,fail
"""
# ruff: noqa

import sys
import types

fake = types.ModuleType("torch")
fake.equal = fake.allclose = lambda *a, **k: True
sys.modules["torch"] = fake
sys.meta_path.insert(0, types.SimpleNamespace(find_spec=lambda *a, **k: None))


def double(x):
    return 0
