"""A machine made ready: the doctor, and JupyterLab with the course's own settings. The installer is `../install.py`."""
