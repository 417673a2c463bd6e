{{/* What no schema can say: what must hold between values, and of the cluster. */}}
{{- define "bss-sidecar.validate" -}}
{{- if and (eq .Values.inject.mode "policy") (semverCompare "<1.36.0-0" .Capabilities.KubeVersion.Version) -}}
{{- fail (printf "\n\ninject.mode \"policy\" needs Kubernetes 1.36 or newer, which has MutatingAdmissionPolicy; this is %s. Set inject.mode to \"template\", and take the container into Pedkai's own chart or kustomization: see \"Older clusters\" in the chart's README.\n" .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- end -}}
