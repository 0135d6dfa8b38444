"""Steps that do not fit together are refused when they are put together, with a sentence that says why."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from baton.training.definition import DefinitionError, Parameter, PipelineDefinition
from baton.training.references import ExecutionVariable, Join, JsonGet, ParameterValue, StepProperty
from baton.training.steps import Comparison, ConditionStep, FailStep, ProcessingStep, PropertyFile, Step
from tests.infrastructure.pipeline_samples import sample_definition, sample_workplace, steps_by_name


def script(
    name: str, *, reads: object = "s3://b/k", needs: Sequence[str] = (), reports: bool = False
) -> ProcessingStep:
    files = (PropertyFile(name="Report", output="output", path="report.json"),) if reports else ()
    return sample_workplace().script(
        name,
        "training.any",
        reads={"data": reads},  # type: ignore[dict-item]
        writes={"output": "s3://b/out"},
        property_files=files,
        depends_on=tuple(needs),
    )


def define(*steps: Step, parameters: tuple[Parameter, ...] = ()) -> PipelineDefinition:
    return PipelineDefinition(parameters=parameters, steps=steps)


def either(name: str, left: object, *, yes: Step, no: Step) -> ConditionStep:
    comparison = Comparison(relation="Equals", left=left, right=1)  # type: ignore[arg-type]
    return ConditionStep(name=name, conditions=(comparison,), if_steps=(yes,), else_steps=(no,))


def test_fails_when_two_steps_share_a_name() -> None:
    with pytest.raises(DefinitionError, match="two steps are called 'A'"):
        define(script("A"), script("A"))


def test_fails_when_a_step_in_a_branch_shares_a_name() -> None:
    judge = script("Judge", reports=True)
    branch = either("Pick", judge.value("Report", "passed"), yes=script("Judge"), no=FailStep(name="No", message="no"))
    with pytest.raises(DefinitionError, match="two steps are called 'Judge'"):
        define(judge, branch)


def test_fails_when_two_parameters_share_a_name() -> None:
    with pytest.raises(DefinitionError, match="two parameters are called 'P'"):
        define(parameters=(Parameter(name="P", default="1"), Parameter(name="P", default="2")))


@pytest.mark.parametrize("name", ["", "with blank", "x" * 65, "-first"])
def test_fails_when_a_name_is_not_allowed(name: str) -> None:
    with pytest.raises(DefinitionError, match="up to 64 letters"):
        define(script(name))


def test_fails_when_a_parameter_is_not_declared() -> None:
    with pytest.raises(DefinitionError, match="step A uses the parameter 'Missing', which is not declared"):
        define(script("A", reads=ParameterValue("Missing")))


def test_fails_when_a_step_does_not_exist() -> None:
    with pytest.raises(DefinitionError, match="step A needs the step 'Ghost', which does not exist"):
        define(script("A", reads=Join("/", ("s3:/", StepProperty("Ghost", "ModelName")))))
    with pytest.raises(DefinitionError, match="needs the step 'Ghost'"):
        define(script("A", needs=["Ghost"]))


def test_fails_when_steps_wait_for_each_other() -> None:
    with pytest.raises(DefinitionError, match=r"in a circle: \w → \w → \w"):
        define(script("A", needs=["B"]), script("B", reads=script("A").output("output")))


def test_fails_when_a_condition_waits_for_its_own_branch() -> None:
    inner = script("Inner", reports=True)
    with pytest.raises(DefinitionError, match="a branch that may not run"):
        define(either("Pick", inner.value("Report", "x"), yes=inner, no=FailStep(name="No", message="no")))


def test_fails_when_a_step_needs_one_that_may_not_run() -> None:
    judge, inner = script("Judge", reports=True), script("Inner")
    branch = either("Pick", judge.value("Report", "x"), yes=inner, no=FailStep(name="No", message="no"))
    with pytest.raises(
        DefinitionError, match="step After needs the step Inner, which lies in a branch that may not run"
    ):
        define(judge, branch, script("After", needs=["Inner"]))


def test_steps_of_one_branch_may_use_each_other() -> None:
    judge, inner = script("Judge", reports=True), script("Inner")
    last = script("Last", reads=inner.output("output"))
    branch = either("Pick", judge.value("Report", "x"), yes=inner, no=FailStep(name="No", message="no"))

    assert define(judge, replace(branch, if_steps=(inner, last))).step_names == ("Judge", "Pick", "Inner", "Last", "No")


def test_fails_when_a_property_file_is_not_declared() -> None:
    user = script("User", reads=JsonGet("Judge", "Other", "x"))
    with pytest.raises(DefinitionError, match="reads 'Other', which Judge does not declare"):
        define(script("Judge", reports=True), user)


def test_fails_when_a_property_file_lies_in_no_output() -> None:
    judge = script("Judge", reports=True)
    broken = replace(judge, property_files=(PropertyFile(name="Report", output="elsewhere", path="r.json"),))
    with pytest.raises(DefinitionError, match="in the output 'elsewhere', which it does not have"):
        define(broken, script("User", reads=broken.value("Report", "x")))


def test_fails_when_a_file_is_read_of_a_step_that_has_none() -> None:
    with pytest.raises(DefinitionError, match="only processing steps have property files"):
        define(FailStep(name="No", message="no"), script("User", reads=JsonGet("No", "Report", "x")))


def test_fails_when_an_output_or_property_file_is_asked_for_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="step A has no output 'x'; it has output"):
        script("A").output("x")
    with pytest.raises(ValueError, match="step A has no property file 'x'; it has none"):
        script("A").value("x", "y")


def test_expressions_are_spelled_as_the_service_reads_them() -> None:
    judge = script("Judge", reports=True)
    assert Join("/", ("s3://b", ExecutionVariable("PipelineExecutionId"))).render() == {
        "Std:Join": {"On": "/", "Values": ["s3://b", {"Get": "Execution.PipelineExecutionId"}]}
    }
    assert judge.value("Report", "a.b").render() == {
        "Std:JsonGet": {"PropertyFile": {"Get": "Steps.Judge.PropertyFiles.Report"}, "Path": "a.b"}
    }
    assert judge.output("output").render() == {
        "Get": "Steps.Judge.ProcessingOutputConfig.Outputs['output'].S3Output.S3Uri"
    }


def test_both_backends_hand_the_same_things_to_gate_and_registry() -> None:
    open_steps, managed_steps = (steps_by_name(sample_definition(backend).render()) for backend in ("open", "managed"))  # type: ignore[arg-type]

    def baselines(steps: dict[str, dict[str, object]]) -> list[str]:
        arguments = steps["Register"]["Arguments"]
        assert isinstance(arguments, dict)
        return [f"{kind}.{part}" for kind, parts in arguments["DriftCheckBaselines"].items() for part in parts]

    assert baselines(open_steps) == baselines(managed_steps)
    assert open_steps["Gate"]["Arguments"]["AppSpecification"] == managed_steps["Gate"]["Arguments"]["AppSpecification"]
    assert managed_steps.keys() - open_steps.keys() == {"Model", "DataBias", "ModelBias"}
    assert open_steps.keys() - managed_steps.keys() == {"Bias"}


def test_only_what_is_repeatable_and_no_evidence_is_cached() -> None:
    steps = steps_by_name(sample_definition("open").render())

    assert {name for name, step in steps.items() if "CacheConfig" in step} == {"Preprocess", "Train"}


def test_containers_have_no_network_unless_clarify_must_ask() -> None:
    steps = steps_by_name(sample_definition("managed").render())
    isolated = {
        name: step["Arguments"].get("NetworkConfig", step["Arguments"])["EnableNetworkIsolation"]
        for name, step in steps.items()
        if step["Type"] in ("Processing", "Training", "QualityCheck", "ClarifyCheck", "Model")
    }

    assert {name for name, value in isolated.items() if not value} == {"DataBias", "ModelBias", "Explain"}


def test_the_refusal_says_why_and_where_the_report_lies() -> None:
    steps = steps_by_name(sample_definition("open").render())
    values = steps["Refuse"]["Arguments"]["ErrorMessage"]["Std:Join"]["Values"]

    assert values[1]["Std:JsonGet"]["Path"] == "reasons"
    assert values[3]["Std:Join"]["Values"][1] == "gate.json"
