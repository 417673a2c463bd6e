package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/keyutil"
)

const (
	accountKey = "service-accounts.key"
	tokens     = "tokens.csv"
)

// identity is the administrator's: a token that lives as long as the directory.
type identity struct{ directory, token string }

// newIdentity writes what kube-apiserver reads: the token, and the key for ServiceAccount tokens.
func newIdentity(directory string) (identity, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return identity{}, err
	}
	admin := identity{directory: directory, token: rand.Text()}
	line := fmt.Sprintf("%s,admin,admin,system:masters\n", admin.token)
	if err := os.WriteFile(filepath.Join(directory, tokens), []byte(line), 0o600); err != nil {
		return identity{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity{}, err
	}
	pem, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return identity{}, err
	}
	return admin, keyutil.WriteKey(filepath.Join(directory, accountKey), pem)
}

// kubeconfig trusts the certificate that kube-apiserver made for itself.
func (i identity) kubeconfig(server string) (*api.Config, error) {
	trusted, err := os.ReadFile(filepath.Join(i.directory, "apiserver.crt"))
	if err != nil {
		return nil, err
	}
	config := api.NewConfig()
	config.Clusters["test"] = &api.Cluster{Server: server, CertificateAuthorityData: trusted}
	config.AuthInfos["admin"] = &api.AuthInfo{Token: i.token}
	config.Contexts["test"] = &api.Context{Cluster: "test", AuthInfo: "admin"}
	config.CurrentContext = "test"
	return config, nil
}

// leave puts the kubeconfig in place whole: who sees it can use it.
func (i identity) leave(config *api.Config) error {
	place := filepath.Join(i.directory, "kubeconfig")
	if err := clientcmd.WriteToFile(*config, place+".new"); err != nil {
		return err
	}
	return os.Rename(place+".new", place)
}
