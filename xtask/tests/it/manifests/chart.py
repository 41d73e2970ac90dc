"""Renders and lints the chart by Helm's SDK: values as JSON on stdin, objects by template as JSON on stdout."""

import json
import sys

import helm_python as helm

request = json.load(sys.stdin)
try:
    lint = helm.lint(request["chart"], values=request["values"], strict=True)
    with helm.Chart.load(request["chart"]) as chart:
        chart.validate_schema(request["values"])
        rendered = chart.render(request["values"], name="lastcall", namespace=request["namespace"])
    print(json.dumps({"lint": lint, "rendered": rendered}))
except helm.HelmError as error:
    print(json.dumps({"refused": str(error)}))
