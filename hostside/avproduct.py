"""Phase `antivirus` for a product that the office's commands stand for (SOP step 7)."""

from hostside import avcommand, leftovers
from hostside.command import run as command


def carry_out(items, definition, seconds, eicar, answer):
    """Run `update`, compare the versions before and after, find EICAR with `scan`.

    What a killed attempt left running is waited for: the product's update never runs twice at once.
    """
    name = definition["name"]
    leftovers.let_end(answer.transaction, avcommand.words(definition["update"])[0], seconds)
    own = [item for item in items if item["name"] == avcommand.item_name(definition)]
    others = [item for item in items if item not in own]
    before = version(definition)
    result = command(avcommand.words(definition["update"]), timeout=seconds)
    answer.facts["log_tail"] = result.tail(40)[-6000:]
    after = version(definition)
    trouble = "" if result.ok else "`update` of %s %s" % (name, avcommand.ended(result))
    answer.items = [judge(item, before, after, trouble) for item in own]
    answer.items += [
        dict(item, result="not-attempted", after="", message="this host's antivirus is %s" % name)
        for item in others
    ]
    code = "av-timeout" if result.code is None else "av-not-updated"
    failed = [item for item in answer.items if item["result"] not in ("updated", "unchanged")]
    if failed:
        answer.stop("failed", code, "%s: %s" % (failed[0]["name"], failed[0]["message"]),
                    "Look at log_tail and run the update command on the host.")
    elif trouble:
        answer.problem(code, trouble, "Run the update command on the host.")
    found, how = avcommand.prove(definition, eicar)
    answer.facts["eicar"] = "found" if found else "not-found"
    if found:
        answer.facts["eicar_proof"] = "%s: %s" % (name, how)
    else:
        answer.stop("failed", "av-eicar-not-found", "%s did not find EICAR: %s" % (name, how),
                    "The scanner does not protect this host.")


def version(definition):
    """The installed version; "" when the product does not tell."""
    try:
        return avcommand.ask_version(definition)
    except OSError:
        return ""


def judge(item, before, after, trouble):
    """The item with `result` and `after`: approved version or later, or failed with the reason."""
    if item["to"] == "latest":
        reached = after != "" and not trouble
    else:
        reached = after != "" and avcommand.not_older(after, item["to"])
    if not reached:
        words = trouble or "`version` says %s after the update" % (after or "nothing")
        return dict(item, result="failed", after=after, message=words)
    changed = after != before or after != item.get("from", "")
    return dict(item, result="updated" if changed else "unchanged", after=after)
