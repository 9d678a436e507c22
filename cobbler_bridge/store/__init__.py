"""Cobbler's objects, in process and over XML-RPC: the one room that knows its API."""
