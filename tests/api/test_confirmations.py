"""Probes that somebody vouches for, over HTTP."""

from tests.api.conftest import Caller, enrol, files
from tests.load.people import Shot


def test_an_admin_confirms_whose_probe_it_was_once(
    admin: Caller,
    auditor: Caller,
    kiosk: Caller,
    kitchen: str,
    ada: tuple[Shot, ...],
    bob: tuple[Shot, ...],
) -> None:
    enrol(admin, kitchen, "ada", *ada[:2], compartments=["top"])
    enrol(admin, kitchen, "bob", *bob[:2], compartments=["top"])
    asked = kiosk.post("/v1/authentications", data={"fridge": kitchen}, files=files(ada[2])).json()
    at = f"/v1/decisions/{asked['id']}"
    offered = admin.get(f"{at}/confirmation").json()
    assert (offered["member"], offered["by"], offered["possible"]) == ("ada", "admin", True)

    for nobody in (kiosk, auditor):
        assert nobody.post(f"{at}/confirm").status_code == 403
    wrong = admin.post(f"{at}/confirm", json={"member": "bob"})
    assert wrong.status_code == 422
    assert "unlike_enrolment" in {e["code"] for e in wrong.json()["errors"]}

    made = admin.post(f"{at}/confirm")
    assert made.status_code == 201, made.text
    assert (made.json()["member"], made.json()["by"]) == ("ada", "admin")
    assert made.json()["capture"] in admin.get(f"/v1/fridges/{kitchen}/members/ada/captures").text
    assert admin.post(f"{at}/confirm", json={"member": "ada"}).status_code == 409
    assert admin.get(f"{at}/confirmation").json()["capture"] == made.json()["capture"]


def test_a_kiosk_confirms_with_the_members_pin(
    admin: Caller, kiosk: Caller, kitchen: str, ada: tuple[Shot, ...], bob: tuple[Shot, ...]
) -> None:
    enrolled = enrol(admin, kitchen, "ada", *ada[:2], compartments=["top"], pin="481902").json()
    enrol(admin, kitchen, "bob", *bob[:2], compartments=["top"])
    asked = kiosk.post("/v1/authentications", data={"fridge": kitchen}, files=files(ada[2])).json()
    at = f"/v1/decisions/{asked['id']}"
    assert kiosk.get(f"{at}/confirmation").json()["possible"] is False
    typed = {"fridge": kitchen, "number": enrolled["number"], "pin": "481902"}
    assert kiosk.post("/v1/pin-authentications", json=typed).json()["outcome"] == "granted"
    assert kiosk.get(f"{at}/confirmation").json()["possible"] is True
    made = kiosk.post(f"{at}/confirm")
    assert made.status_code == 201, made.text
    assert made.json()["by"] == "pin"
