"""What production sees, against what the models were made for. Pure but for `windows`.

    windows.observed → drift.compared       against the bundle's reference.json
                     → shares.judged        members' shares of the grants, against the weeks before
                     → accuracy.measured    where somebody who knows has said who it was
    refusals.bursts                         three wrong tries and more at one kiosk
    report.judged                           all of it for one fridge: what `watch` acts on

Each test states its error rate; `docs/monitoring.md` has the figures.
"""
