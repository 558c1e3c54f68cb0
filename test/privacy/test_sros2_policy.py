"""config/sros2_policy.xml: its form is SROS2's, it allows what the nodes do and no more, and few read images and crops."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from rppg_ros.nodes.evaluation_recorder import EvaluationRecorder
from rppg_ros.nodes.face_tracker import FaceTrackerNode
from rppg_ros.nodes.monitor import MonitorNode
from rppg_ros.nodes.video_source import VideoSource
from rppg_ros.nodes.vitals import VitalsNode
from rppg_ros.nodes.vitals_pipeline import make_nodes
from support.graph import context, overrides, wait_for
from support.recordings import bag_of_a_person

POLICY = Path(__file__).parents[2] / "config" / "sros2_policy.xml"
# What SROS2's policies of version 0.2.0 are made of (metadata left out, which we have none of): children, attributes that must
# be there, and attributes that are rules, ALLOW or DENY.
FORM = {
    "policy": ({"enclaves"}, {"version"}, set()),
    "enclaves": ({"enclave"}, set(), set()),
    "enclave": ({"profiles"}, {"path"}, set()),
    "profiles": ({"profile"}, set(), set()),
    "profile": ({"topics", "services", "actions"}, {"ns", "node"}, set()),
    "topics": ({"topic"}, set(), {"publish", "subscribe"}),
    "services": ({"service"}, set(), {"reply", "request"}),
    "actions": ({"action"}, set(), {"call", "execute"}),
    "topic": (set(), set(), set()),
    "service": (set(), set(), set()),
    "action": (set(), set(), set()),
}
NAMES = {"topic", "service", "action"}
PRIVATE = {"/image", "/image/compressed", "/thermal/image", "/thermal/image/compressed", "/face_crops"}
"""Topics that show a face."""
MATRIX = [60.0, 0.0, 32.0, 0.0, 60.0, 24.0, 0.0, 0.0, 1.0]


def faults(element) -> list[str]:
    """What is wrong with the form of an element and of all below it."""
    if element.tag not in FORM:
        return [f"<{element.tag}> is unknown"]
    (children, needed, rules), given = FORM[element.tag], set(element.keys())
    found = [f"<{element.tag}> lacks {name}" for name in needed - given]
    found += [f"<{element.tag}> cannot have {name}" for name in given - needed - rules]
    found += [f"{name} is {element.get(name)}" for name in rules & given if element.get(name) not in ("ALLOW", "DENY")]
    found += [f"<{element.tag}> has <{child.tag}>" for child in element if child.tag not in children]
    if rules and not rules & given:
        found.append(f"<{element.tag}> rules nothing")
    if children and not len(element):
        found.append(f"<{element.tag}> is empty")
    if element.tag in NAMES and not named(element.text):
        found.append(f"<{element.tag}> is no name: {element.text}")
    return found + [fault for child in element for fault in faults(child)]


def named(text) -> bool:
    """Whether it is a name of ROS's: no space, no wildcard."""
    return bool(text) and text.removeprefix("~").replace("/", "").replace("_", "").isalnum()


def full_name(text: str, profile) -> str:
    """A name as the graph has it."""
    space = profile.get("ns").rstrip("/")
    if text.startswith("/"):
        return text
    return f"{space}/{profile.get('node')}{text[1:]}" if text.startswith("~") else f"{space}/{text}"


# What an action is made of, for the one who executes it and for the one who calls it.
PARTS = {
    ("execute", "publish"): ("feedback", "status"),
    ("execute", "reply"): ("send_goal", "cancel_goal", "get_result"),
    ("call", "subscribe"): ("feedback", "status"),
    ("call", "request"): ("send_goal", "cancel_goal", "get_result"),
}


def allowed(rule: str) -> dict[str, set[str]]:
    """Enclave to what it may publish, subscribe, reply or request."""
    found = {}
    for enclave in ElementTree.parse(POLICY).iter("enclave"):
        names = found[enclave.get("path").rpartition("/")[2]] = set()
        for profile in enclave.iter("profile"):
            for group in profile:
                whole = [full_name(name.text, profile) for name in group]
                names.update(whole if group.get(rule) == "ALLOW" else ())
                for role in ("execute", "call"):
                    parts = PARTS.get((role, rule), ()) if group.get(role) == "ALLOW" else ()
                    names.update(f"{name}/_action/{part}" for name in whole for part in parts)
    return found


def but_actions(names: set[str]) -> set[str]:
    return {name for name in names if "/_action/" not in name}


def both_transports(make):
    """Nodes that take or give raw images, then such that do compressed ones."""
    raw, packed = (
        {"image_transport": "raw"},
        {"image_transport": "compressed", "thermal__image_transport": "compressed"},
    )
    for settings in (raw, packed):
        yield make(overrides(**settings))


def trackers():
    for node in both_transports(lambda settings: FaceTrackerNode(parameter_overrides=settings)):
        yield [node]


def sources():
    matrices = {"camera_matrix": MATRIX, "thermal_camera_matrix": MATRIX, "publish_clock": True}
    for compressed in (False, True):
        settings = overrides(source="demo:seconds=1", compressed=compressed, **matrices)
        yield [VideoSource(parameter_overrides=settings)]


PROGRAMS = {
    "face_tracker": lambda folder: trackers(),
    "vitals": lambda folder: [[VitalsNode(parameter_overrides=overrides(model="none"))]],
    "vitals_pipeline": lambda folder: both_transports(
        lambda settings: make_nodes(settings, overrides(model="none")),
    ),
    "monitor": lambda folder: [[MonitorNode(parameter_overrides=overrides(port=0))]],
    "video_source": lambda folder: sources(),
    "evaluation_recorder": lambda folder: [
        [EvaluationRecorder(parameter_overrides=overrides(recording=bag_of_a_person(folder, seconds=2)))]
    ],
}


def used(program: str, folder: Path) -> dict[str, set[str]]:
    """What the nodes of a program publish, subscribe and reply to while they are active, by the graph."""
    found = {"publish": set(), "subscribe": set(), "reply": set()}
    for nodes in PROGRAMS[program](folder):
        for node in nodes:
            if hasattr(node, "autostart"):
                node.autostart()
                assert node.active, node.problem
            name = (node.get_name(), node.get_namespace())
            wait_for(lambda node=node: node.get_fully_qualified_name()[1:] in node.get_node_names(), what="the graph")
            found["publish"] |= {topic for topic, _ in node.get_publisher_names_and_types_by_node(*name)}
            found["subscribe"] |= {topic for topic, _ in node.get_subscriber_names_and_types_by_node(*name)}
            found["reply"] |= {service for service, _ in node.get_service_names_and_types_by_node(*name)}
        for node in nodes:
            if hasattr(node, "autostart"):
                node.trigger_deactivate()
            node.destroy_node()
    return found


def test_its_form_is_that_of_sros2():
    root = ElementTree.parse(POLICY).getroot()
    assert root.tag == "policy" and root.get("version") == "0.2.0"
    assert not faults(root)


@pytest.mark.parametrize(
    ("written", "instead", "fault"),
    [
        ('publish="ALLOW"', 'publish="YES"', "publish is YES"),
        ('publish="ALLOW"', "", "<topics> rules nothing"),
        (' node="vitals"', "", "<profile> lacks node"),
        ("<topic>image</topic>", "<topic></topic>", "<topic> is no name: None"),
        ("<topic>image</topic>", "<topic>*</topic>", "<topic> is no name: *"),
        ("<topic>image</topic>", "<service>image</service>", "<topics> has <service>"),
        ("enclaves>", "contexts>", "<contexts> is unknown"),
    ],
)
def test_other_forms_are_found(written, instead, fault):
    text = POLICY.read_text()
    assert written in text
    assert fault in faults(ElementTree.fromstring(text.replace(written, instead)))


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_allows_what_the_nodes_do_and_no_more(program, tmp_path):
    context()
    does = used(program, tmp_path)
    may = {rule: allowed(rule)[program] for rule in does}
    if program != "video_source":
        does["subscribe"].add("/clock")  # with use_sim_time
    if program in ("face_tracker", "vitals_pipeline"):
        does["subscribe"] |= {"/tf", "/tf_static"}  # with tf2_ros installed
    assert may == does
    assert not but_actions(allowed("request")[program])


def test_only_the_pipeline_reads_faces():
    reads = {name: topics & PRIVATE for name, topics in allowed("subscribe").items()}
    cameras = PRIVATE - {"/face_crops"}
    # video_source gives the images; it reads crops to see how fast the nodes keep up.
    wanted = {
        "face_tracker": cameras,
        "vitals_pipeline": cameras,
        "vitals": {"/face_crops"},
        "video_source": {"/face_crops"},
    }
    assert {name: topics for name, topics in reads.items() if topics} == wanted


def test_others_write_nothing_that_the_pipeline_reads():
    inputs = allowed("subscribe")["face_tracker"] | allowed("subscribe")["vitals"]
    writers = {name for name, topics in allowed("publish").items() if topics & inputs}
    assert writers == {"face_tracker", "vitals", "vitals_pipeline", "video_source"}


def test_only_the_operator_changes_the_nodes():
    assert {name for name, services in allowed("request").items() if but_actions(services)} == {"operator"}
    assert {name for name, services in allowed("request").items() if services} == {"operator", "monitor", "viewer"}
    answered = allowed("reply")["vitals_pipeline"]
    assert allowed("request")["operator"] == answered
