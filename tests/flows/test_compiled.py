"""Every flow as a cluster would run it: Argo's manifests and Airflow's DAG, from configuration alone.

Metaflow puts the code of a flow into S3 when it compiles; moto plays that on loopback.
"""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

HOME = Path(__file__).parents[2]
FLOWS = sorted(p.stem for p in (HOME / "flows").glob("*.py") if not p.stem.startswith("_"))
IMAGE, SERVICE_ACCOUNT, SECRET = "registry.example/visavox:1.2.3", "retrainer", "visavox-keys"
CREDENTIAL, MASTER_KEY = "credential-that-must-stay-here", "bWFzdGVyIGtleSB0aGF0IG11c3Qgc3RheQ=="
ON_AIRFLOW = {"watch"}
"""The others have a parameter without a default, and one `foreach` within another: Metaflow's
Airflow knows neither."""


@dataclass(frozen=True)
class Compiled:
    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Compiled]]:
    """All flows for both, side by side; by `argo <flow>` and `airflow <flow>`."""
    folder = tmp_path_factory.mktemp("compiled")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield _compiled(folder, "http://{}:{}".format(*server.get_host_and_port()))
    finally:
        server.stop()


def _compiled(folder: Path, s3: str) -> dict[str, Compiled]:
    boto3.client(
        "s3", endpoint_url=s3, region_name="us-east-1",
        aws_access_key_id="id", aws_secret_access_key=CREDENTIAL,
    ).create_bucket(Bucket="flows")  # fmt: skip
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("METAFLOW_", "AWS_"))},
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": CREDENTIAL,
        "AWS_DEFAULT_REGION": "us-east-1",
        "METAFLOW_USER": "visavox",
        "METAFLOW_DEFAULT_DATASTORE": "s3",
        "METAFLOW_DATASTORE_SYSROOT_S3": "s3://flows/metaflow",
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(folder),
        "METAFLOW_S3_ENDPOINT_URL": s3,
        "METAFLOW_KUBERNETES_NAMESPACE": "visavox",
        "METAFLOW_KUBERNETES_CONTAINER_IMAGE": IMAGE,
        "METAFLOW_KUBERNETES_CPU": "3",
        "METAFLOW_KUBERNETES_MEMORY": "6144",
        "METAFLOW_KUBERNETES_SERVICE_ACCOUNT": SERVICE_ACCOUNT,
        "METAFLOW_KUBERNETES_SECRETS": SECRET,
        "VISAVOX_STATE": str(folder / "state"),
        "VISAVOX_MASTER_KEY": MASTER_KEY,
        "PYTHONPATH": str(HOME),
        "OMP_NUM_THREADS": "1",
    }
    words = {
        f"argo {flow}": (flow, ["argo-workflows", "create", "--only-json"]) for flow in FLOWS
    } | {f"airflow {flow}": (flow, ["airflow", "create", f"{flow}.py"]) for flow in FLOWS}
    started = {
        name: subprocess.Popen(
            [sys.executable, str(HOME / "flows" / f"{flow}.py"), "--datastore=s3", "--no-pylint", "--quiet",
             "--with", "kubernetes", *rest],
            cwd=folder, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for name, (flow, rest) in words.items()
    }  # fmt: skip
    made = {}
    for name, process in started.items():
        out, err = process.communicate(timeout=280)
        if name.startswith("airflow") and process.returncode == 0:
            out = (folder / f"{name.split()[1]}.py").read_text(encoding="utf-8")
        made[name] = Compiled(process.returncode, out, err)
    return made


def manifest(compiled: Mapping[str, Compiled], flow: str) -> dict[str, Any]:
    found = compiled[f"argo {flow}"]
    assert found.code == 0, found.err
    made: dict[str, Any] = json.loads(found.out)
    return made


def test_there_are_the_three_flows() -> None:
    assert set(FLOWS) == {"characterize", "retrain", "watch"}


@pytest.mark.parametrize("flow", FLOWS)
def test_argo_takes_it_as_a_workflow_template(compiled: Mapping[str, Compiled], flow: str) -> None:
    made = manifest(compiled, flow)
    assert made["apiVersion"] == "argoproj.io/v1alpha1"
    assert made["kind"] == "WorkflowTemplate"
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", made["metadata"]["name"])
    assert made["metadata"]["namespace"] == "visavox"
    spec = made["spec"]
    templates = {t["name"]: t for t in spec["templates"]}
    assert len(templates) == len(spec["templates"])
    assert spec["entrypoint"] in templates
    steps = _steps(flow)
    assert steps <= set(templates)
    for template in templates.values():
        kinds = {"dag", "container", "script", "steps", "resource"} & set(template)
        assert len(kinds) == 1, template["name"]
        tasks = template.get("dag", {}).get("tasks", [])
        names = {t["name"] for t in tasks}
        for task in tasks:
            assert task["template"] in templates
            assert set(task.get("dependencies", [])) <= names
    parameters = {p["name"] for p in spec["arguments"]["parameters"]}
    assert parameters == (set() if flow == "watch" else {"retraining"})


@pytest.mark.parametrize("flow", FLOWS)
def test_image_resources_account_and_secrets_come_from_configuration(
    compiled: Mapping[str, Compiled], flow: str
) -> None:
    templates = {t["name"]: t for t in manifest(compiled, flow)["spec"]["templates"]}
    for name in _steps(flow):
        container = templates[name]["container"]
        assert container["image"] == IMAGE
        asked = container["resources"]["requests"]
        assert (asked["cpu"], asked["memory"]) == ("3", "6144M")
        assert templates[name]["serviceAccountName"] == SERVICE_ACCOUNT
        given = [e["secretRef"]["name"] for e in container["envFrom"] if e.get("secretRef")]
        assert given == [SECRET]  # by name: what it holds is known to the cluster alone


@pytest.mark.parametrize(
    "name", [f"{kind} {flow}" for kind in ("argo", "airflow") for flow in FLOWS]
)
def test_no_secret_and_no_place_of_this_machine_is_in_it(
    compiled: Mapping[str, Compiled], name: str, tmp_path: Path
) -> None:
    said = compiled[name].out
    for hidden in (CREDENTIAL, MASTER_KEY, str(HOME), str(Path.home()) + "/", sys.prefix):
        assert hidden not in said
    assert str(tmp_path.parent) not in said


@pytest.mark.parametrize("flow", FLOWS)
def test_airflow_has_a_dag_of_it_or_says_why_not(
    compiled: Mapping[str, Compiled], flow: str
) -> None:
    found = compiled[f"airflow {flow}"]
    if flow not in ON_AIRFLOW:
        assert found.code != 0
        assert "required for parameters when deploying flows on Airflow" in found.err
        assert _nested(flow)  # which it would not take either
        return
    assert found.code == 0, found.err
    ast.parse(found.out)
    assert "DAG(" in found.out
    for name in _steps(flow):
        assert name in found.out
    assert IMAGE in found.out


def _tree(flow: str) -> ast.ClassDef:
    tree = ast.parse((HOME / "flows" / f"{flow}.py").read_text(encoding="utf-8"))
    return next(n for n in tree.body if isinstance(n, ast.ClassDef))


def _steps(flow: str) -> set[str]:
    return {n.name for n in _tree(flow).body if isinstance(n, ast.FunctionDef)}


def _nested(flow: str) -> bool:
    return ast.unparse(_tree(flow)).count("foreach=") > 1
