// One program with what the cluster tests need of Kubernetes: etcd, kube-apiserver and the two
// controllers that turn a Deployment into pods (`serve DIRECTORY`), and kubectl (`kubectl …`).
//
// There is no kubelet, scheduler or garbage collector: pods stay pending, and owned objects stay.
package main

import (
	"fmt"
	"os"

	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "kubectl" {
		os.Args = os.Args[1:]
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			util.CheckErr(err)
		}
		return
	}
	if len(os.Args) != 3 || os.Args[1] != "serve" {
		fmt.Fprintln(os.Stderr, "usage: kube serve DIRECTORY | kube kubectl …")
		os.Exit(64)
	}
	if err := serve(os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
