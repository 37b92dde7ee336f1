"""The deal rules once more, slowly and plainly, deal by deal: what the engine must agree with."""
