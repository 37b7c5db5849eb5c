"""Tests of `langchain_control.detectors`."""
