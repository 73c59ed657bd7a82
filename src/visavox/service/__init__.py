"""Use cases: what a kiosk, an admin and an auditor can ask of the house.

Every function takes the `House` first and the `Actor` second, checks what the actor may do, opens
one transaction, writes the audit record inside it, and returns frozen records. Routes, commands
and tests all come through here, so all are held by the same rules.

    house = House(store, models, perception, signer, clock, settings)
    who = keys.identify(house, bearer, request_id=…)          the Actor behind "vx_<id>_<secret>"

    fridges.create(house, who, *, name, risk="normal", locale="en", id=None) → Fridge
           .read(house, who, fridge) → Fridge
           .page(house, who, *, limit=50, cursor=None) → Page[Fridge]
           .change(house, who, fridge, *, name=None, risk=None, locale=None,
                   expected_version=None) → Fridge
           .remove(house, who, fridge, *, expected_version=None) → None
           .standing(house, who, fridge) → Standing            locks, members, what is live
    compartments.create(house, who, fridge, *, name, id=None) → Compartment
           .read(house, who, fridge, compartment) → Compartment
           .page(house, who, fridge, *, limit, cursor) → Page[Compartment]
           .change(house, who, fridge, compartment, *, name, expected_version=None) → Compartment
           .remove(house, who, fridge, compartment, *, expected_version=None) → None
    members.read(house, who, fridge, member) → Member
           .page(house, who, fridge, *, limit, cursor) → Page[Member]
           .change(house, who, fridge, member, *, name=None, locale=None,
                   expected_version=None) → Member
           .remove(house, who, fridge, member, *, expected_version=None) → Removed(erased, audit_seq)
           .captures(house, who, fridge, member, *, limit, cursor) → Page[CaptureRecord]
    enrolment.enrol(house, who, fridge, *, name, consent, samples, id=None, locale=None, pin=None,
                    compartments=(), accept_warnings=False) → Enrolled
           .add(house, who, fridge, member, samples, *, accept_warnings=False) → Enrolled
    grants.page(house, who, fridge, member, *, limit, cursor) → Page[Grant]
           .grant(house, who, fridge, member, compartment) → Grant       (again is no error)
           .withdraw(house, who, fridge, member, compartment) → None
    challenges.draw(house, who, fridge) → Challenge
    authentication.authenticate(house, who, *, fridge, sample, challenge=None,
                    arrived=None) → Answer
    pins.authenticate(house, who, *, fridge, number, pin) → Answer
           .replace(house, who, fridge, member, pin, *, expected_version=None) → Member
           .remove(house, who, fridge, member, *, expected_version=None) → Member
    attempts.unlock(house, who, fridge, *, kiosk=None) → Standing
    decisions.read(house, who, decision) → Answer                        (ticket is None)
           .page(house, who, *, fridge=None, member=None, outcome=None, kiosk=None, method=None,
                 since=None, until=None, limit=50, cursor=None) → Page[Answer]
    events.page(house, who, *, fridge=None, kind=None, limit=50, cursor=None) → Page[Event]
    keys.create(house, who, *, role, name, fridges=None, expires_at=None) → Issued(key, secret)
           .identify(house, bearer, *, request_id="") → Actor            raises Unauthenticated
           .read(house, who, key) → Key     .page(house, who, *, limit, cursor) → Page[Key]
           .revoke(house, who, key) → Key
    models.page(house, who, *, limit, cursor) → Page[Live]
           .read(house, who, fridge) → Live
           .characterizer(house, who) → Mapping[str, object]             its card
           .install(house, who, fridge, folder) → Live
           .install_base(house, who, folder) → str                       the digest
           .remove(house, who, fridge) → None              back to provisional templates alone
    experiment.read(house, who, fridge) → Experiment        how a challenger stands, and the verdict
           .change(house, who, fridge, *, mode, share=0.0, expected_version=None) → Experiment
           .conclude(house, who, fridge, wish, *, expected_version=None) → Concluded
           .disagreements(house, who, fridge, *, limit, cursor) → Page[(Trial, Label | None)]
           .settle(house, fridge) → Outcome | None          the policy, applied by the worker
    labels.put(house, who, decision, member) → Label        who really stood there
    audit.page(house, who, *, limit, cursor) → Page[AuditRecord]
           .verification(house, who) → Verification(valid, records, head)

Everything raises `visavox.errors.VisavoxError`: NotFound, Conflict and Stale from the store;
Forbidden, Unauthenticated, Invalid, Refused (enrolment, with `reasons`), AlreadyEnrolled (with
`warnings`) from here. A locked kiosk is no error: it is an `Answer` whose outcome is `locked`.
"""
