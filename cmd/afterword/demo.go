package main

func demo(c *call) error { return nil }
