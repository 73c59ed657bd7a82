"""Load: people who do not exist at kiosks, a real API, and the straightforward service beside it.

python -m tests.load run          Locust against a real API, with limits: `make load`
python -m tests.load.baseline     the straightforward service
python -m tests.bench service     the figures of reports/load.json
"""
