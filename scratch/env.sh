export PYTHONPATH=/work/wt/024 OMP_NUM_THREADS=1; PY=/work/main/.venv/bin/python
