# What bash reads in JupyterLab's terminals: the user's own settings, then the course's commands first on PATH.
[ -f /etc/bash.bashrc ] && . /etc/bash.bashrc
[ -f ~/.bashrc ] && . ~/.bashrc
PATH="$FLIPBOOK_BIN:$PATH"
