"""rppg-ros convert: resumed, past broken recordings, with one-line errors."""

from rppg_ros.commands.main import main
from support import dataset_folders as folders


def test_convert_command(tmp_path, capsys):
    folders.pure(tmp_path / "data")
    words = ["convert", "pure", str(tmp_path / "data"), "--to", str(tmp_path / "bags"), "--format", "raw"]
    assert main(words) == 0
    assert "1 written, 0 there already, 0 failed" in " ".join(capsys.readouterr().out.split())
    assert main(words) == 0
    assert "0 written, 1 there already" in " ".join(capsys.readouterr().out.split())
    assert (tmp_path / "bags" / "pure_01-02" / "metadata.yaml").is_file()
    assert main(["convert", "pure", str(tmp_path / "bags"), "--to", str(tmp_path)]) == 2
    assert "no folders named like 01-01" in capsys.readouterr().err


def test_convert_goes_on_past_a_broken_recording(tmp_path, capsys):
    data = tmp_path / "data"
    folders.pure(data)
    folders.pure(data, folder="02-05")
    (data / "01-02.json").unlink()
    words = ["convert", "pure", str(data), "--to", str(tmp_path / "bags"), "--jobs", "2"]
    assert main(words) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "01-02.json: no such file" in out and "1 written, 0 there already, 1 failed" in out
    assert [bag.name for bag in (tmp_path / "bags").iterdir()] == ["pure_02-05"]
    assert main([*words, "--only", "02-*"]) == 0
    for option, said in ((["--only", "03-*"], "no recording's name holds or fits '03-*'"), (["--jobs", "0"], "one at")):
        assert main([*words, *option]) == 2
        assert said in capsys.readouterr().err
