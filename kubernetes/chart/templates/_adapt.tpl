{{/* Sets variables of a container: `container`, and `values` by name. */}}
{{- define "lastcall.setEnv" -}}
{{- $env := list }}
{{- $values := .values }}
{{- range .container.env }}
{{- if not (hasKey $values .name) }}{{ $env = append $env . }}{{ end }}
{{- end }}
{{- range $name, $value := $values }}{{ $env = append $env (dict "name" $name "value" $value) }}{{ end }}
{{- $_ := set .container "env" $env }}
{{- end }}

{{/* Adapts Lastcall's container to the values: `container`, `root`, and `grace` in seconds. */}}
{{- define "lastcall.adaptLastcall" -}}
{{- $values := .root.Values }}
{{- $drain := $values.drain }}
{{- $_ := set .container "image" $values.images.user }}
{{- $set := dict
  "DRAIN_TIMEOUT" (printf "%ds" (int $drain.timeoutSeconds))
  "TASK_GRACE" (printf "%ds" (int $drain.taskGraceSeconds))
  "PROPAGATION_WAIT" (printf "%ds" (int $drain.propagationSeconds))
  "TERMINATION_GRACE_PERIOD" (printf "%ds" .grace) }}
{{- if eq $values.mode "sidecar" }}
{{- $_ := set $set "UPSTREAM_URL" $values.app.upstreamUrl }}
{{- else if eq $values.mode "standalone" }}
{{- $_ := set $set "UPSTREAM_URL" $values.upstream.url }}
{{- $_ := set $set "PROBE_ADDR" "0.0.0.0:9093" }}
{{- $_ := set .container "ports" (append .container.ports (dict "name" "probe" "containerPort" 9093)) }}
{{- $container := .container }}
{{- range list "startupProbe" "readinessProbe" "livenessProbe" }}
{{- $_ := set (index $container .).httpGet "port" "probe" }}
{{- end }}
{{- end }}
{{- include "lastcall.setEnv" (dict "container" .container "values" (merge $set $values.env)) }}
{{- end }}

{{/* Adapts a Deployment to the values: `object`, `root`. */}}
{{- define "lastcall.adaptDeployment" -}}
{{- $root := .root }}
{{- $values := $root.Values }}
{{- $name := .object.metadata.name }}
{{- $pod := .object.spec.template.spec }}
{{- $drain := $values.drain }}
{{- $grace := add $drain.timeoutSeconds $drain.taskGraceSeconds $drain.propagationSeconds 5 | int }}
{{- $users := "sample-app-user" }}
{{- if eq $values.mode "sidecar" }}
{{- $users = $values.app.name }}
{{- $grace = add $grace $drain.appStopSeconds | int }}
{{- end }}
{{- if eq $name $users }}
{{- $_ := set .object.spec "replicas" $values.replicas }}
{{- $_ := set $pod "terminationGracePeriodSeconds" $grace }}
{{- end }}
{{- $containers := list }}
{{- range $pod.containers }}
{{- $container := . }}
{{- if eq .name "user-tier" }}
{{- include "lastcall.adaptLastcall" (dict "container" . "root" $root "grace" $grace) }}
{{- else if eq .name "admin-tier" }}
{{- $_ := set . "image" $values.images.admin }}
{{- else if eq .name "maintenance-page" }}
{{- $_ := set . "image" $values.images.user }}
{{- if lt (int .lifecycle.preStop.sleep.seconds) (int $drain.propagationSeconds) }}
{{- $_ := set .lifecycle.preStop.sleep "seconds" $drain.propagationSeconds }}
{{- $_ := set $pod "terminationGracePeriodSeconds" (max (int $pod.terminationGracePeriodSeconds) (add $drain.propagationSeconds 5)) }}
{{- end }}
{{- else if and (eq $values.mode "sidecar") (eq $name $users) }}
{{- $container = merge (dict "name" .name "lifecycle" .lifecycle) $values.app.container }}
{{- end }}
{{- $containers = append $containers $container }}
{{- end }}
{{- $_ := set $pod "containers" $containers }}
{{- range $pod.initContainers }}
{{- if eq .name "lastcall" }}
{{- include "lastcall.adaptLastcall" (dict "container" . "root" $root "grace" $grace) }}
{{- end }}
{{- end }}
{{- end }}
