{{- define "bss-sidecar.redisName" -}}
{{- printf "%s-redis" (include "bss-sidecar.fullname" .) -}}
{{- end -}}

{{- define "bss-sidecar.redisSelector" -}}
{{ include "bss-sidecar.selectorLabels" . }}
app.kubernetes.io/component: redis
{{- end -}}

{{- define "bss-sidecar.redisLabels" -}}
{{- include "bss-sidecar.labelsWith" (dict "root" . "more" (dict "app.kubernetes.io/component" "redis")) -}}
{{- end -}}

{{- define "bss-sidecar.redisImage" -}}
{{- with .Values.redis.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository .tag -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What a configuration says of its cache where the chart's Redis is switched on; what the values
     say of it themselves wins. */}}
{{- define "bss-sidecar.redisCache" -}}
store: redis
master_keys_file: /etc/bss-sidecar/cache-keys/master-keys
name_keys_file: /etc/bss-sidecar/cache-keys/name-keys
redis:
  url: {{ printf "rediss://%s.%s.svc:6379/0" (include "bss-sidecar.redisName" .) .Release.Namespace }}
  username: bss-sidecar
  password_file: /etc/bss-sidecar/redis/password
  tls:
    trust_bundle_file: /etc/bss-sidecar/redis/ca.crt
{{- end -}}
