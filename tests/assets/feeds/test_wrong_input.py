import pickle

from assets.feeds.wrong_input import WrongInput


def test_wrong_input_is_one_line_with_the_place_first_and_the_mend_last():
    wrong = WrongInput("is\nwrong", place="feeds.people[0].files", mend="mend\r\nit")
    assert str(wrong) == "feeds.people[0].files: is wrong; mend it"


def test_wrong_input_comes_whole_out_of_another_process():
    wrong = pickle.loads(pickle.dumps(WrongInput("is wrong", place="here", mend="mend it")))  # noqa: S301
    assert (wrong.what, wrong.place, wrong.mend) == ("is wrong", "here", "mend it")
