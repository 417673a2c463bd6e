package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

// serve runs a cluster that keeps everything in directory, on loopback ports that the system picks.
// directory/kubeconfig appears when it is ready. It ends on SIGTERM.
func serve(directory string) error {
	ctx := genericapiserver.SetupSignalContext()
	admin, err := newIdentity(directory)
	if err != nil {
		return err
	}
	store, endpoint, err := startEtcd(filepath.Join(directory, "etcd"))
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	defer store.Close()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server, err := apiServer(ctx, directory, endpoint, listener)
	if err != nil {
		return fmt.Errorf("kube-apiserver: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx, server) }()
	go func() {
		if err := whenReady(ctx, admin, listener.Addr().String()); err != nil && ctx.Err() == nil {
			ended <- err
		}
	}()
	err = <-ended
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// apiServer takes the flags of a real cluster, as far as they matter to admission: its plugins are
// those of every cluster. It has made its serving certificate when it returns.
func apiServer(ctx context.Context, directory, etcd string, listener net.Listener) (options.CompletedOptions, error) {
	s := options.NewServerRunOptions()
	s.SecureServing.Listener = listener
	s.SecureServing.BindPort = listener.Addr().(*net.TCPAddr).Port
	s.SecureServing.ExternalAddress = net.IPv4(127, 0, 0, 1)
	flags := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	for _, set := range s.Flags().FlagSets {
		flags.AddFlagSet(set)
	}
	key := filepath.Join(directory, accountKey)
	if err := flags.Parse([]string{
		"--etcd-servers=" + etcd,
		"--cert-dir=" + directory,
		"--token-auth-file=" + filepath.Join(directory, tokens),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + key,
		"--service-account-signing-key-file=" + key,
		"--service-cluster-ip-range=10.96.0.0/16",
		"--endpoint-reconciler-type=none",
		"--shutdown-delay-duration=0s",
	}); err != nil {
		return options.CompletedOptions{}, err
	}
	if err := s.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return options.CompletedOptions{}, err
	}
	completed, err := s.Complete(ctx)
	if err != nil {
		return options.CompletedOptions{}, err
	}
	return completed, utilerrors.NewAggregate(completed.Validate())
}

// whenReady waits for the server, starts the controllers, and leaves the kubeconfig behind.
func whenReady(ctx context.Context, admin identity, address string) error {
	config, err := admin.kubeconfig("https://" + address)
	if err != nil {
		return err
	}
	rest, err := clientcmd.NewDefaultClientConfig(*config, nil).ClientConfig()
	if err != nil {
		return err
	}
	rest.QPS, rest.Burst = 200, 400
	client, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return err
	}
	isReady := func(ctx context.Context) (bool, error) {
		_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err == nil, nil
	}
	if err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 2*time.Minute, true, isReady); err != nil {
		return fmt.Errorf("kube-apiserver did not become ready: %w", err)
	}
	startControllers(ctx, client)
	return admin.leave(config)
}
