{{/* A value as a CEL literal. `dyn` around each part, because a plain CEL list or map holds values
     of one type. A text that begins with the mark is CEL already. */}}
{{- define "bss-sidecar.cel" -}}
{{- if kindIs "map" . -}}
{
{{- $separator := "" -}}
{{- range $key, $value := . -}}
{{- $separator }}{{ $key | toJson }}: dyn({{ include "bss-sidecar.cel" $value }})
{{- $separator = ", " -}}
{{- end -}}
}
{{- else if kindIs "slice" . -}}
[
{{- range $index, $value := . -}}
{{- if $index }}, {{ end }}dyn({{ include "bss-sidecar.cel" $value }})
{{- end -}}
]
{{- else if and (kindIs "string" .) (hasPrefix (include "bss-sidecar.celMark" "") .) -}}
{{- trimPrefix (include "bss-sidecar.celMark" "") . -}}
{{- else -}}
{{- toJson . -}}
{{- end -}}
{{- end -}}

{{/* No text of the values begins so: their schema refuses control characters there. */}}
{{- define "bss-sidecar.celMark" -}}{{ "\u0001" }}{{- end -}}

{{/* The choices of the pod, as CEL. */}}
{{- define "bss-sidecar.celChoices" -}}
{{- $mark := include "bss-sidecar.celMark" "" -}}
{{- dict
  "image" (print $mark "variables.image")
  "memory" (print $mark "variables.memory")
  "cpuRequest" (print $mark "variables.cpuRequest")
  "dataHost" (print $mark "variables.authentication == \"socket\" ? \"listeners.data.host=\" : \"listeners.data.host=127.0.0.1\"")
  "dataPort" (print $mark (printf "variables.authentication == \"socket\" ? \"listeners.data.port=\" : \"listeners.data.port=%v\"" .Values.ports.data))
  "unixSocket" (print $mark "variables.authentication == \"socket\" ? \"listeners.data.unix_socket=/run/bss-sidecar/bss-sidecar.sock\" : \"listeners.data.unix_socket=\"")
  "tokenFile" (print $mark "variables.authentication == \"token\" ? \"auth.token_file=/run/bss-sidecar/token\" : \"auth.token_file=\"")
  "logLevel" (print $mark "\"logging.level=\" + variables.logLevel")
  | toJson -}}
{{- end -}}

{{/* The last operations of the patch: labels, annotations and pull secrets of the pod. A pod that
     is selected has labels already. What the pod says itself is never overwritten, except for the
     version, which is ours. */}}
{{- define "bss-sidecar.celLabels" -}}
[
            JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("bss-sidecar.pedkai.io/version"), value: {{ include "bss-sidecar.version" . | toJson }}}
          ]
{{- with .Values.pod.labels }} + {{ . | toJson }}.map(k, k).filter(k, !(k in object.metadata.labels)).map(k,
            JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey(k), value: {{ . | toJson }}[k]}
          )
{{- end }}
{{- with .Values.pod.annotations }} + (has(object.metadata.annotations) ? [] : [
            JSONPatch{op: "add", path: "/metadata/annotations", value: {}}
          ]) + {{ . | toJson }}.map(k, k).filter(k, !(k in object.metadata.?annotations.orValue({}))).map(k,
            JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey(k), value: {{ . | toJson }}[k]}
          )
{{- end }}
{{- with .Values.image.pullSecrets }} + (has(object.spec.imagePullSecrets) ? [] : [
            JSONPatch{op: "add", path: "/spec/imagePullSecrets", value: []}
          ]) + {{ . | toJson }}.filter(n, !object.spec.?imagePullSecrets.orValue([]).exists(s, s.?name.orValue("") == n)).map(n,
            JSONPatch{op: "add", path: "/spec/imagePullSecrets/-", value: {"name": n}}
          )
{{- end }}
{{- end -}}
