"""One connection gone through, whatever it is reached over."""

from adapters.registry import reaches
from proxy.doctor.databases import examine_database, examine_identity
from proxy.doctor.findings import Report, Step
from proxy.doctor.patient import Patient
from proxy.doctor.vendor import VendorExamination


async def examine(patient: Patient) -> Report:
    """Everything about one connection."""
    report = Report(patient.name, patient.setting.vendor)
    reach = reaches()[patient.setting.vendor]
    if reach == "http":
        await VendorExamination(patient, report).examine()
    elif reach == "database":
        await examine_database(patient, report)
    else:
        report.steps.append(Step.judged("vendor", "made up in the sidecar: it needs nothing"))
    if reach != "none":
        await examine_identity(patient, report)
    return report
