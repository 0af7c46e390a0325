import pytest
import yaml

from deixis.errors import RecipeError
from deixis.training.recipes.packaged import packaged_recipes
from deixis.training.recipes.recipe import in_order, read_recipe
from tests.toy.recipe import TOY, toy_recipe

RECIPES = list(packaged_recipes().values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stepz": 3}, "unknown key 'stepz'; did you mean 'steps'"),
        ({"schedule": {"warmpu": 1}}, r"schedule: unknown key 'warmpu'; did you mean 'warmup'"),
        ({"dialogues": {"locat": 1.0}}, "did you mean 'locate'"),
        ({"steps": "many"}, "steps: is 'many'; expected int"),
        ({"ema": "1e-3"}, "yaml reads 1e-3 as text"),
        ({"groups": []}, "nothing would train"),
        ({"ema": 1.5}, "ema is 1.5"),
        ({"steps": 0}, "steps is 0; expected at least 1"),
        ({"steps": -1, "starts_from": "toy"}, "steps is -1; expected at least 0"),
        ({"groups": [{"parts": [""], "rate": 1.0, "containig": ["norm"]}]}, "did you mean 'containing'"),
        ({"precision": "float8"}, "expected one of 'float32', 'bfloat16', 'auto'"),
        ({"optimiser": {"betas": [0.9]}}, "expected 2 entries, got 1"),
        ({"groups": [{"rate": 1.0}]}, r"groups\[0\]: missing parts"),
        ({"mixed_with": {"model": "a", "shares": {"": 0.5}}}, "mixed_with needs a model that it starts_from"),
        ({"starts_from": "b", "mixed_with": {"model": "a", "shares": {"": 1.5}}}, "expected 0 to 1 each"),
        ({"starts_from": "b", "mixed_with": {"model": "a", "shares": {}}}, "expected 0 to 1 each"),
    ],
)
def test_a_wrong_recipe_says_what_is_wrong(changes, message):
    with pytest.raises(RecipeError, match=message):
        toy_recipe(**changes)


def test_a_file_gives_the_same_recipe(tmp_path):
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump(TOY))
    assert read_recipe(path) == toy_recipe()


@pytest.mark.parametrize("content", ["[1, 2", "- a list", "!!python/object/apply:os.system ['true']"])
def test_what_is_not_a_recipe_is_refused(tmp_path, content):
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    with pytest.raises(RecipeError):
        read_recipe(path)


@pytest.mark.parametrize(("devices", "per_device", "passes"), [(1, None, 1), (2, 2, 1), (1, 2, 2), (2, 1, 2)])
def test_passes_follow_from_devices(devices, per_device, passes):
    assert toy_recipe(per_device_batch=per_device).passes(devices=devices) == passes


def test_a_batch_that_cannot_be_divided_is_an_error():
    with pytest.raises(RecipeError, match="batch of 4 can't be made of 1 devices x 3"):
        toy_recipe(per_device_batch=3).passes(devices=1)


def test_order_comes_from_starts_from():
    first, second = toy_recipe(name="first"), toy_recipe(name="second", starts_from="first")
    assert in_order([second, first]) == [first, second]
    mixed = toy_recipe(
        name="mixed", starts_from="elsewhere", mixed_with={"model": "second", "shares": {"": 0.5}}
    )
    assert in_order([mixed, second, first]) == [first, second, mixed]
    with pytest.raises(RecipeError, match="circle: a -> b -> a"):
        in_order([toy_recipe(name="a", starts_from="b"), toy_recipe(name="b", starts_from="a")])
    with pytest.raises(RecipeError, match="same name"):
        in_order([first, first])


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_of_the_project_is_legal(path):
    assert read_recipe(path).passes(devices=1) >= 1
