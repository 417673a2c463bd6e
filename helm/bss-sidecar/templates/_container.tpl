{{/*
The one source of all that is put into a pod. Each mode of injection renders these definitions:
`policy` as CEL values, `template` as they are, the kustomize component as files made from them.

    bss-sidecar.choices          what a pod may choose by an annotation, as the values have it
    bss-sidecar.containerOf      the sidecar, given choices
    bss-sidecar.volumes          its volumes: all that may be missing is optional
    bss-sidecar.appEnv           what the container that asks is told
    bss-sidecar.appVolumeMounts  and what it may read
*/}}

{{/* By name: what differs from pod to pod. */}}
{{- define "bss-sidecar.choices" -}}
{{- $socket := eq .Values.authentication "socket" -}}
image: {{ include "bss-sidecar.image" . | quote }}
memory: {{ .Values.resources.memory | quote }}
cpuRequest: {{ .Values.resources.cpuRequest | quote }}
dataHost: {{ printf "listeners.data.host=%s" (ternary "" "127.0.0.1" $socket) | quote }}
dataPort: {{ printf "listeners.data.port=%s" (ternary "" (.Values.ports.data | toString) $socket) | quote }}
unixSocket: {{ printf "listeners.data.unix_socket=%s" (ternary "/run/bss-sidecar/bss-sidecar.sock" "" $socket) | quote }}
tokenFile: {{ printf "auth.token_file=%s" (ternary "/run/bss-sidecar/token" "" (eq .Values.authentication "token")) | quote }}
logLevel: {{ printf "logging.level=%s" .Values.logLevel | quote }}
{{- end -}}

{{- define "bss-sidecar.container" -}}
{{- include "bss-sidecar.containerOf" (dict "root" . "choices" (include "bss-sidecar.choices" . | fromYaml)) -}}
{{- end -}}

{{/* `root`: the chart's scope; `choices`: as above. A pod's own choices win over the namespace's
     configuration, and hold without one: hence `--set`. */}}
{{- define "bss-sidecar.containerOf" -}}
{{- $values := .root.Values -}}
{{- $choices := .choices -}}
name: bss-sidecar
image: {{ $choices.image | quote }}
imagePullPolicy: {{ $values.image.pullPolicy }}
# Restarted by itself, and stopped after the containers that ask: a native sidecar.
restartPolicy: Always
command: ["python", "-P", "-m", "proxy"]
args:
  - serve
  - --fail-open
  - --set
  - {{ $choices.dataHost | quote }}
  - --set
  - {{ $choices.dataPort | quote }}
  - --set
  - {{ $choices.unixSocket | quote }}
  - --set
  - listeners.data.tls=
  - --set
  - listeners.ops.host=$(POD_IP)
  - --set
  - {{ printf "listeners.ops.port=%v" $values.ports.ops | quote }}
  - --set
  - listeners.admin.host=127.0.0.1
  - --set
  - {{ printf "listeners.admin.port=%v" $values.ports.admin | quote }}
  - --set
  - {{ $choices.tokenFile | quote }}
  - --set
  - auth.any_user=true
  - --set
  - {{ $choices.logLevel | quote }}
  - --set
  - logging.format=json
  - /etc/bss-sidecar/config/sidecar.yaml
env:
  - name: POD_IP
    valueFrom:
      fieldRef:
        apiVersion: v1
        fieldPath: status.podIP
  # For `bss-sidecar doctor` and `bss-sidecar breaker` in this container.
  - name: BSS_SIDECAR_CONFIG
    value: /etc/bss-sidecar/config/sidecar.yaml
  {{- with $values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  - name: bss-ops
    containerPort: {{ $values.ports.ops }}
    protocol: TCP
resources:
  requests:
    cpu: {{ $choices.cpuRequest | quote }}
    memory: {{ $choices.memory | quote }}
  limits:
    {{- with $values.resources.cpuLimit }}
    cpu: {{ . | quote }}
    {{- end }}
    memory: {{ $choices.memory | quote }}
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: ["ALL"]
  privileged: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  {{- with $values.securityContext.runAsUser }}
  runAsUser: {{ int64 . }}
  {{- end }}
  {{- with $values.securityContext.runAsGroup }}
  runAsGroup: {{ int64 . }}
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
startupProbe:
  httpGet: {path: /healthz, port: bss-ops}
  {{- toYaml $values.probes.startup | nindent 2 }}
livenessProbe:
  httpGet: {path: /healthz, port: bss-ops}
  {{- toYaml $values.probes.liveness | nindent 2 }}
{{- if $values.probes.readiness.enabled }}
readinessProbe:
  httpGet: {path: /readyz, port: bss-ops}
  {{- toYaml (omit $values.probes.readiness "enabled") | nindent 2 }}
{{- end }}
volumeMounts:
  # In the place of the API server's token, which would be mounted there: the sidecar needs none.
  - name: bss-sidecar-no-token
    mountPath: /var/run/secrets/kubernetes.io/serviceaccount
    readOnly: true
  - name: bss-sidecar-run
    mountPath: /run/bss-sidecar
  - name: bss-sidecar-config
    mountPath: /etc/bss-sidecar/config
    readOnly: true
  {{- range $name, $_ := $values.credentials }}
  - name: bss-sidecar-credentials-{{ $name }}
    mountPath: /etc/bss-sidecar/credentials/{{ $name }}
    readOnly: true
  {{- end }}
  {{- range $name, $_ := $values.trust }}
  - name: bss-sidecar-trust-{{ $name }}
    mountPath: /etc/bss-sidecar/trust/{{ $name }}
    readOnly: true
  {{- end }}
  {{- range $folder, $secret := include "bss-sidecar.secrets" .root | fromYaml }}
  - name: bss-sidecar-{{ $folder }}
    mountPath: /etc/bss-sidecar/{{ $folder }}
    readOnly: true
  {{- end }}
  {{- with $values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* By folder below /etc/bss-sidecar: the Secret that is mounted there. */}}
{{- define "bss-sidecar.secrets" -}}
{{- with .Values.identity.existingSecret }}
identity: {{ . | quote }}
{{- end }}
{{- with .Values.cacheKeys.existingSecret }}
cache-keys: {{ . | quote }}
{{- end }}
{{- with .Values.redisCredentials.existingSecret }}
redis: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "bss-sidecar.volumes" -}}
- name: bss-sidecar-run
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
- name: bss-sidecar-no-token
  emptyDir:
    medium: Memory
    sizeLimit: 4Ki
- name: bss-sidecar-config
  configMap:
    name: {{ include "bss-sidecar.configMapName" . }}
    optional: true
{{- range $name, $credentials := .Values.credentials }}
- name: bss-sidecar-credentials-{{ $name }}
  secret:
    secretName: {{ $credentials.existingSecret | quote }}
    optional: true
{{- end }}
{{- range $name, $trust := .Values.trust }}
- name: bss-sidecar-trust-{{ $name }}
  {{- if $trust.existingConfigMap }}
  configMap:
    name: {{ $trust.existingConfigMap | quote }}
    optional: true
  {{- else }}
  secret:
    secretName: {{ $trust.existingSecret | quote }}
    optional: true
  {{- end }}
{{- end }}
{{- range $folder, $secret := include "bss-sidecar.secrets" . | fromYaml }}
- name: bss-sidecar-{{ $folder }}
  secret:
    secretName: {{ $secret | quote }}
    optional: true
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* For the container that asks. `authenticationOf` takes the kind of authentication, because in
     mode `policy` a pod chooses. */}}
{{- define "bss-sidecar.appEnv" -}}
{{- include "bss-sidecar.appEnvOf" (dict "root" . "authentication" .Values.authentication) -}}
{{- end -}}

{{- define "bss-sidecar.appEnvOf" -}}
- name: BSS_SIDECAR_URL
  {{- if eq .authentication "socket" }}
  value: unix:/run/bss-sidecar/bss-sidecar.sock
  {{- else }}
  value: http://127.0.0.1:{{ .root.Values.ports.data }}
  {{- end }}
{{- if eq .authentication "token" }}
- name: BSS_SIDECAR_TOKEN_FILE
  value: /run/bss-sidecar/token
{{- end }}
{{- end -}}

{{- define "bss-sidecar.appVolumeMounts" -}}
{{- include "bss-sidecar.appVolumeMountsOf" (dict "authentication" .Values.authentication) -}}
{{- end -}}

{{- define "bss-sidecar.appVolumeMountsOf" -}}
{{- if ne .authentication "none" -}}
- name: bss-sidecar-run
  mountPath: /run/bss-sidecar
  readOnly: true
{{- end -}}
{{- end -}}

{{- define "bss-sidecar.podLabels" -}}
bss-sidecar.pedkai.io/version: {{ include "bss-sidecar.version" . | quote }}
{{- with .Values.pod.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "bss-sidecar.podAnnotations" -}}
{{- with .Values.pod.annotations }}
{{- toYaml . }}
{{- end }}
{{- end -}}

{{- define "bss-sidecar.pullSecrets" -}}
{{- range .Values.image.pullSecrets }}
- name: {{ . }}
{{- end }}
{{- end -}}
