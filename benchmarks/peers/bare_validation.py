"""A bare loop on one core: orjson parses each line, jsonschema-rs or jsonschema judges it."""

import json
import sys
import time

import orjson

lines, contract, judge, limit = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
with open(contract, "rb") as file:  # noqa: PTH123
    schema = orjson.loads(file.read())
if judge == "jsonschema-rs":
    import jsonschema_rs

    is_valid = jsonschema_rs.validator_for(schema, validate_formats=True).is_valid
else:
    from jsonschema import Draft202012Validator

    checker = Draft202012Validator.FORMAT_CHECKER
    is_valid = Draft202012Validator(schema, format_checker=checker).is_valid
began = time.perf_counter()
n_valid = n_records = 0
with open(lines, "rb") as file:  # noqa: PTH123
    for line in file:
        n_valid += is_valid(orjson.loads(line))
        n_records += 1
        if n_records == limit:
            break
print(json.dumps({"records": n_records, "valid": n_valid, "inside_s": time.perf_counter() - began}))
