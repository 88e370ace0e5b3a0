package wire

// NodeInfoLinks leads to NodeInfo (FEP-0151).
func (b Blog) NodeInfoLinks() []byte {
	var links []any
	for _, version := range []string{"2.0", "2.1"} {
		links = append(links, doc{
			"rel":  "http://nodeinfo.diaspora.software/ns/schema/" + version,
			"href": b.at("/nodeinfo/" + version),
		})
	}
	return appendObject(nil, doc{"links": links})
}

// NodeInfo says what runs here, in schema version "2.0" or "2.1". Software is the version of this program.
func (b Blog) NodeInfo(version string, posts, comments int, software string) []byte {
	return appendObject(nil, doc{
		"version":           version,
		"software":          doc{"name": "afterword", "version": software},
		"protocols":         []string{"activitypub"},
		"services":          doc{"inbound": []string{}, "outbound": []string{}},
		"openRegistrations": false,
		"usage":             doc{"users": doc{"total": 1}, "localPosts": posts, "localComments": comments},
		"metadata":          doc{},
	})
}
