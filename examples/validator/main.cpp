#include <papilio/validator.hpp>

#include <trainer/gpt2_model.hpp>

int main(int argc, char** argv)
{
    papilio::example::gpt2_model gpt2(papilio::example::gpt2_model::user::validator);
    return papilio::run_validator(argc, argv, gpt2);
}
