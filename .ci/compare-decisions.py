"""Compares the answers of `evaluate` with judged decisions, line by line; fails below the agreed share."""

import json
import sys

AGREED_SHARE_MIN = 0.995

cases = [json.loads(line) for line in open(sys.argv[1])]
answers = [json.loads(line) for line in open(sys.argv[2])]
if [case["id"] for case in cases] != [answer["id"] for answer in answers]:
    sys.exit("the answers are not in the order of the cases")
disagreed = []
for case, answer in zip(cases, answers):
    expected, found = case["expected"], answer.get("decision")
    if case.get("compare") == "allow-deny":
        expected, found = expected == "Allowed", found == "Allowed"
    if expected != found:
        disagreed.append(f"{case['id']}: expected {case['expected']}, found {answer.get('decision') or answer}")
print("\n".join(disagreed))
agreed = len(cases) - len(disagreed)
print(f"{agreed} of {len(cases)} decisions agree")
sys.exit(0 if cases and agreed / len(cases) >= AGREED_SHARE_MIN else 1)
