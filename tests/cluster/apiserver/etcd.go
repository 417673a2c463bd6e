package main

import (
	"errors"
	"net/url"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// startEtcd answers with its client URL. It syncs nothing to disk: the data die with the test.
func startEtcd(directory string) (*embed.Etcd, string, error) {
	config := embed.NewConfig()
	config.Dir = directory
	config.LogLevel = "error"
	config.UnsafeNoFsync = true
	anyPort := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config.ListenClientUrls, config.AdvertiseClientUrls = anyPort, anyPort
	config.ListenPeerUrls, config.AdvertisePeerUrls = anyPort, anyPort
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	store, err := embed.StartEtcd(config)
	if err != nil {
		return nil, "", err
	}
	select {
	case <-store.Server.ReadyNotify():
		return store, "http://" + store.Clients[0].Addr().String(), nil
	case err := <-store.Err():
		return nil, "", err
	case <-time.After(time.Minute):
		store.Close()
		return nil, "", errors.New("not ready within a minute")
	}
}
