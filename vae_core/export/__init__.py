"""What is taken home from a run: a report to read, a script and a notebook that repeat it, files for other tools.

One record in (`run_report.RunReport`), text or bytes out; nothing here knows a server or a page.

    from vae_core.export.bundle import bundle

    Path("run.zip").write_bytes(bundle(story, model.state_dict()))
"""
