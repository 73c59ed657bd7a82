"""Speed, measured side by side in one run: `make bench` writes reports/bench.json
and reports/load.json.

Ratios are what counts; milliseconds depend on the machine, which is named beside them.
"""
