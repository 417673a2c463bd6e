{{/* Which pods are meant: the same for the policy that injects and the one that counts. */}}

{{/* By what they are and say. */}}
{{- define "bss-sidecar.labelledPods" -}}
matchConstraints:
  matchPolicy: Equivalent
  objectSelector:
    matchLabels:
      bss-sidecar.pedkai.io/inject: "true"
  resourceRules:
    - apiGroups: [""]
      apiVersions: ["v1"]
      operations: ["CREATE"]
      resources: ["pods"]
      scope: Namespaced
{{- end -}}

{{/* By where they are. */}}
{{- define "bss-sidecar.targetNamespaces" -}}
matchPolicy: Equivalent
namespaceSelector:
  matchExpressions:
    - key: kubernetes.io/metadata.name
      operator: In
      values: {{ include "bss-sidecar.namespaces" . }}
    # The switch of a whole namespace:
    # kubectl label namespace NAME bss-sidecar.pedkai.io/injection=disabled
    - key: bss-sidecar.pedkai.io/injection
      operator: NotIn
      values: ["disabled"]
{{- end -}}

{{/* The container that asks. */}}
{{- define "bss-sidecar.celTarget" -}}
object.metadata.?annotations[?"bss-sidecar.pedkai.io/container"].orValue("backend")
{{- end -}}
