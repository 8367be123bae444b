#include <papilio/miner.hpp>

#include <trainer/gpt2_model.hpp>

int main(int argc, char** argv)
{
    papilio::example::gpt2_model gpt2(papilio::example::gpt2_model::user::miner);
    return papilio::run_miner(argc, argv, gpt2);
}
