"""Messages that a browser, a terminal, a spreadsheet or an XML parser would act on.

Expect: double=error quadruple=blocked greeting=pass
"""
# ruff: noqa


def double(x):
    raise ValueError(
        "</pre><script>alert(1)</script><img src=x onerror=alert(1)> \x00\x1b]0;title\x07 \ud800 =cmd|'/c calc'!A1 ]]>"
    )
